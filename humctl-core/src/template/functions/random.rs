//! Random text and numbers, from the source that the caller handed in; without
//! one the result counts as unknown.

use super::Param::{Int, Text};
use super::{Args, Function, exact, text};
use crate::template::error::{Failure, Outcome};
use crate::template::machine::Machine;
use crate::template::value::Value;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS_AND_DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";

pub(super) const FUNCTIONS: &[Function] = &[
    exact("randAlpha", &[Int], |args, machine| draw(args, machine, LETTERS)),
    exact("randAlphaNum", &[Int], |args, machine| draw(args, machine, LETTERS_AND_DIGITS)),
    exact("randNumeric", &[Int], |args, machine| draw(args, machine, DIGITS)),
    exact("randAscii", &[Int], |args, machine| {
        let printable: Vec<u8> = (b' '..=b'~').collect();
        draw(args, machine, &printable)
    }),
    exact("randBytes", &[Int], |args, machine| {
        let n_bytes = count(args, machine)?;
        let random = machine.random()?;
        let bytes: Vec<u8> = (0..n_bytes).map(|_| random.byte()).collect();
        let encoded = super::encoding::base64(&bytes);
        random.drew(&encoded);
        text(encoded)
    }),
    exact("randInt", &[Int, Int], rand_int),
    exact("shuffle", &[Text], shuffle),
    exact("uuidv4", &[], |_, machine| {
        let random = machine.random()?;
        let id = crate::hash::uuid_v4(random.bytes());
        random.drew(&id);
        text(id)
    }),
];

/// How many characters are asked for; none for a negative number, as in Sprig.
fn count(args: &Args, machine: &mut Machine<'_>) -> Outcome<usize> {
    let count = usize::try_from(args.int(0)).unwrap_or_default();
    machine.spend_text(count)?;
    machine.spend(count / 8)?;
    Ok(count)
}

fn draw(args: &Args, machine: &mut Machine<'_>, alphabet: &[u8]) -> Outcome<Value> {
    let n_characters = count(args, machine)?;
    text(machine.random()?.text(n_characters, alphabet))
}

fn rand_int(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let (start, end) = (args.int(0), args.int(1));
    let span = end.checked_sub(start).and_then(|span| u64::try_from(span).ok()).filter(|span| *span > 0);
    let Some(span) = span else { return Err(Failure::new("invalid argument to Intn")) };
    let offset = i64::try_from(machine.random()?.below(span)).unwrap_or_default();
    Ok(Value::Int(start.saturating_add(offset)))
}

fn shuffle(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let mut characters: Vec<char> = args.text(0).chars().collect();
    machine.spend(characters.len() / 8)?;
    let random = machine.random()?;
    for last in (1..characters.len()).rev() {
        let end = u64::try_from(last + 1).unwrap_or_default();
        let other = usize::try_from(random.below(end)).unwrap_or_default();
        characters.swap(last, other);
    }
    text(characters.into_iter().collect::<String>())
}

//! Talking to a child through its pipes: input out, both outputs in, by one
//! thread.

use std::io::{Read, Write as _};
use std::process::{Child, ChildStdin};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a command may print to be worked with.
pub(super) const MAX_STDOUT: usize = 512 << 20;

/// How much of what a command says is kept: its end, where the reason stands.
const MAX_STDERR: usize = 64 << 10;

/// How often it is asked whether to go on, at least.
const STEP: Duration = Duration::from_millis(50);

/// A pipe that can be written to takes this much at once without making us wait.
const PIPE_BUF: usize = 4096;

/// What a child printed.
#[derive(Debug)]
pub(super) struct Printed {
    pub stdout: Tail,
    pub stderr: Tail,
}

/// Writes the input and reads both outputs until they end, or `may_go_on` says
/// not to.
pub(super) fn exchange<E>(
    child: &mut Child,
    mut input: &[u8],
    may_go_on: impl Fn() -> Result<(), E>,
) -> Result<Printed, E> {
    let mut printed = Printed { stdout: Tail::new(MAX_STDOUT), stderr: Tail::new(MAX_STDERR) };
    let mut stdin = child.stdin.take();
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    while stdout.is_some() || stderr.is_some() {
        may_go_on()?;
        if input.is_empty() {
            stdin = None;
        }
        let mut waiting = Vec::with_capacity(3);
        waiting.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        waiting.extend(stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let step = Timespec::try_from(STEP).ok();
        if poll(&mut waiting, step.as_ref()).is_err() {
            // A signal came in between.
            continue;
        }
        let mut is_ready =
            waiting.into_iter().map(|waiting| !waiting.revents().is_empty()).collect::<Vec<_>>().into_iter();
        let mut next_is_ready = |is_open: bool| is_open && is_ready.next().unwrap_or_default();
        let (to_write, to_read, to_read_too) =
            (next_is_ready(stdin.is_some()), next_is_ready(stdout.is_some()), next_is_ready(stderr.is_some()));
        if to_write && !write_some(stdin.as_mut(), &mut input) {
            stdin = None;
        }
        if to_read && !printed.stdout.read_some(stdout.as_mut()) {
            stdout = None;
        }
        if to_read_too && !printed.stderr.read_some(stderr.as_mut()) {
            stderr = None;
        }
    }
    Ok(printed)
}

/// Writes what fits; false when the pipe has broken. A child that ends early
/// closes its input, and its exit code says why.
fn write_some(pipe: Option<&mut ChildStdin>, input: &mut &[u8]) -> bool {
    let Some(pipe) = pipe else { return false };
    match pipe.write(&input[..input.len().min(PIPE_BUF)]) {
        Ok(n_written) => {
            *input = &input[n_written..];
            true
        }
        Err(error) => error.kind() == std::io::ErrorKind::Interrupted,
    }
}

/// The end of what was printed.
#[derive(Debug)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    limit: usize,
    is_whole: bool,
}

impl Tail {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, is_whole: true }
    }

    /// Reads what is there; false when the pipe has ended, or broken: the exit code tells the rest.
    fn read_some(&mut self, pipe: Option<&mut impl Read>) -> bool {
        let mut chunk = [0; 16 << 10];
        match pipe.map(|pipe| pipe.read(&mut chunk)) {
            Some(Ok(n_read)) if n_read > 0 => {
                self.bytes.extend_from_slice(&chunk[..n_read]);
                if self.bytes.len() >= self.limit.saturating_mul(2) {
                    self.cut();
                }
                true
            }
            Some(Err(error)) => error.kind() == std::io::ErrorKind::Interrupted,
            _ => false,
        }
    }

    fn cut(&mut self) {
        if self.bytes.len() > self.limit {
            self.bytes.drain(..self.bytes.len() - self.limit);
            self.is_whole = false;
        }
    }

    /// The last bytes.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.cut();
        self.bytes
    }

    /// All bytes; nothing when there were more than the limit.
    pub(super) fn whole(mut self) -> Option<Vec<u8>> {
        self.cut();
        self.is_whole.then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut pipe: impl Read, limit: usize) -> Tail {
        let mut tail = Tail::new(limit);
        while tail.read_some(Some(&mut pipe)) {}
        tail
    }

    #[test]
    fn the_end_of_what_a_child_prints_is_kept() {
        for (printed, limit, end, whole) in [
            ("abc", 4, "abc", Some("abc")),
            ("abcd", 4, "abcd", Some("abcd")),
            ("abcde", 4, "bcde", None),
            ("", 4, "", Some("")),
        ] {
            assert_eq!(read(printed.as_bytes(), limit).end(), end.as_bytes(), "{printed}");
            assert_eq!(read(printed.as_bytes(), limit).whole().as_deref(), whole.map(str::as_bytes), "{printed}");
        }
        let tail = read(std::io::repeat(b'x').take(10 << 20), 1000);
        assert!(tail.bytes.len() < 20_000 && tail.bytes.capacity() < 1 << 20);
        assert_eq!(tail.end().len(), 1000);
    }
}

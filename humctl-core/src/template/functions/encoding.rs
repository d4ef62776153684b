//! base64, digests, JSON and YAML.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::Param::{Any, HiddenText, Text};
use super::{Args, Function, exact, text};
use crate::template::error::{Failure, Outcome};
use crate::template::hidden;
use crate::template::machine::Machine;
use crate::template::print::{Json, Written, json};
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    exact("b64enc", &[HiddenText], |args, _| match args.any(0) {
        Value::Hidden(marked) => Ok(Value::Hidden(hidden::encoded(marked).into())),
        _ => text(base64(args.text(0).as_bytes())),
    }),
    exact("b64dec", &[Text], |args, _| base64_decoded(args.text(0))),
    exact("sha256sum", &[Text], |args, _| text(crate::hash::sha256_hex(args.text(0).as_bytes()))),
    exact("sha1sum", &[Text], |args, _| text(crate::hash::sha1_hex(args.text(0).as_bytes()))),
    exact("adler32sum", &[Text], |args, _| text(adler32(args.text(0).as_bytes()).to_string())),
    exact("toJson", &[Any], |args, machine| written(args, Json::Html, machine)),
    exact("mustToJson", &[Any], |args, machine| written(args, Json::Html, machine)),
    exact("toRawJson", &[Any], |args, machine| written(args, Json::Raw, machine)),
    exact("mustToRawJson", &[Any], |args, machine| written(args, Json::Raw, machine)),
    exact("toPrettyJson", &[Any], |args, machine| written(args, Json::Pretty, machine)),
    exact("mustToPrettyJson", &[Any], |args, machine| written(args, Json::Pretty, machine)),
    exact("fromJson", &[Text], |args, machine| Ok(from_json(args.text(0), machine).unwrap_or(Value::Nil))),
    exact("mustFromJson", &[Text], |args, machine| from_json(args.text(0), machine)),
    exact("toYaml", &[Any], to_yaml),
    exact("fromYaml", &[Text], |args, machine| {
        Ok(match from_yaml(args.text(0), machine) {
            Ok(value @ Value::Map(_)) => value,
            Ok(Value::Nil) => Value::map([]),
            Ok(_) => Value::map([("Error", Value::text("the text is no mapping"))]),
            Err(reason) => Value::map([("Error", Value::text(&reason))]),
        })
    }),
    exact("fromYamlArray", &[Text], |args, machine| {
        Ok(match from_yaml(args.text(0), machine) {
            Ok(value @ Value::List(_)) => value,
            Ok(Value::Nil) => Value::list(Vec::new()),
            Ok(_) => Value::list(vec![Value::text("the text is no list")]),
            Err(reason) => Value::list(vec![Value::text(&reason)]),
        })
    }),
];

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Go's decoder minds neither line breaks nor bits that are left over, and
/// Sprig gives the text of its error as the result.
fn base64_decoded(encoded: &str) -> Outcome<Value> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    let clean: String = encoded.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    let bytes = match LENIENT.decode(&clean) {
        Ok(bytes) => bytes,
        Err(base64::DecodeError::InvalidByte(offset, _) | base64::DecodeError::InvalidLastSymbol(offset, _)) => {
            return text(format!("illegal base64 data at input byte {offset}"));
        }
        Err(_) => return text(format!("illegal base64 data at input byte {}", clean.len() - clean.len() % 4)),
    };
    match String::from_utf8(bytes) {
        Ok(decoded) => text(decoded),
        Err(_) => Err(Failure::new("the decoded bytes are no UTF-8 text")),
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}

fn written(args: &Args, style: Json, machine: &mut Machine<'_>) -> Outcome<Value> {
    json(args.any(0), style, machine).map(Written::into_value)
}

/// Reads JSON as Go does, where every number becomes a `float64`.
fn from_json(encoded: &str, machine: &mut Machine<'_>) -> Outcome<Value> {
    machine.spend(encoded.len() / 8)?;
    let value: serde_json::Value = serde_json::from_str(encoded).map_err(|error| Failure::new(error.to_string()))?;
    Ok(with_floats(&value))
}

fn with_floats(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(with_floats).collect()),
        serde_json::Value::Object(object) => {
            Value::map(object.iter().map(|(key, value)| (key.as_str(), with_floats(value))))
        }
        other => Value::from_json(other),
    }
}

/// Helm's `toYaml`: no newline at the end.
fn to_yaml(args: &Args, machine: &mut Machine<'_>) -> Outcome<Value> {
    let json = json(args.any(0), Json::Raw, machine)?.known()?;
    machine.spend(json.len() / 8)?;
    let value: serde_json::Value = serde_json::from_str(&json).map_err(|error| Failure::new(error.to_string()))?;
    let yaml = crate::yaml::to_string(&value).map_err(|error| Failure::new(error.to_string()))?;
    text(yaml.strip_suffix('\n').unwrap_or(&yaml))
}

fn from_yaml(encoded: &str, machine: &mut Machine<'_>) -> Result<Value, String> {
    machine.spend(encoded.len() / 8).map_err(|_| "the text is too long".to_owned())?;
    let documents = crate::yaml::parse_documents(encoded).map_err(|error| error.to_string())?;
    Ok(documents.first().map_or(Value::Nil, Value::from_json))
}

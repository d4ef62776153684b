//! The log on stderr: lines for people, or JSON for programs.

use std::fmt::{self, Debug};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{DefaultFields, Writer, debug_fn};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log on stderr; silent unless asked for.
pub(crate) fn start(verbosity: u8, format: LogFormat) {
    let level = match verbosity {
        0 => return,
        1..=5 => LevelFilter::INFO,
        6..=8 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Only what we log ourselves: an HTTP library could show headers, and with them the token.
    let from = |least: u8| if verbosity >= least { LevelFilter::TRACE } else { LevelFilter::OFF };
    let ours = Targets::new()
        .with_target("humctl", level)
        .with_target(crate::client::HEADERS, from(8))
        .with_target(crate::client::BODIES, from(9));
    let lines = layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match format {
        // The message says what the fields hold.
        LogFormat::Text => lines
            .without_time()
            .fmt_fields(debug_fn(|writer, field, value| match field.name() {
                "message" => write!(writer, "{value:?}"),
                _ => Ok(()),
            }))
            .boxed(),
        LogFormat::Json => lines.event_format(JsonLines).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(ours));
    // Only the first log counts.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes an event as one line of JSON.
struct JsonLines;

impl<S: Subscriber + for<'l> LookupSpan<'l>> FormatEvent<S, DefaultFields> for JsonLines {
    fn format_event(
        &self,
        _: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let mut object = fields.0;
        object.insert("level".to_owned(), event.metadata().level().as_str().to_lowercase().into());
        object.insert("time".to_owned(), time().into());
        writeln!(writer, "{}", Value::Object(object))
    }
}

/// The present, as logs are sorted by.
fn time() -> String {
    jiff::Timestamp::try_from(SystemTime::now()).map(|time| format!("{time:.3}")).unwrap_or_default()
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}

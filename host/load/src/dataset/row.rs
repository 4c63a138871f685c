//! One line of a dataset, or one turn of it, as its author wrote it.

use aiperf_model::dataset::DatasetType;
use aiperf_model::limits::{MOST_PROMPT_TOKENS, MOST_SECONDS};
use aiperf_model::request::{Part, Turn};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::ops::Range;

/// One request of a dataset. What it does not say is empty or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) role: Option<String>,
    pub(crate) texts: Vec<String>,
    /// Images, audio and video.
    pub(crate) media: Vec<Part>,
    /// Turns that replace role, texts and media.
    pub(crate) messages: Vec<Turn>,
    /// Whether it is sent without the turns that went before it in its session.
    pub(crate) stands_alone: bool,
    /// Tokens of a prompt that is to be made up.
    pub(crate) input_length: Option<u32>,
    /// The blocks of such a prompt: the same number stands for the same words.
    pub(crate) hash_ids: Vec<u64>,
    pub(crate) output_length: Option<u32>,
    pub(crate) extra: Map<String, Value>,
    /// In milliseconds.
    pub(crate) timestamp: Option<f64>,
    /// In milliseconds after the end of the turn before it.
    pub(crate) delay: Option<f64>,
}

/// What a line holds: a conversation, or a turn that may belong to one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) session_id: Option<String>,
    /// Where each turn stands in the text of the line, for [`parse_turn`]; at least one.
    pub(crate) places: Vec<Range<usize>>,
    /// Of the first turn.
    pub(crate) timestamp: Option<f64>,
}

/// What a line of an unknown kind is, by its fields.
pub(crate) fn infer(text: &str) -> Option<DatasetType> {
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else { return None };
    if let Some(named) = fields.get("type").and_then(Value::as_str) {
        return DatasetType::ALL.into_iter().find(|kind| kind.name() == named);
    }
    let has_any = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    if has_any(&["turns"]) {
        Some(DatasetType::MultiTurn)
    } else if has_any(&["input_length", "text_input", "messages", "hash_ids"]) {
        Some(DatasetType::MooncakeTrace)
    } else if has_any(&["text", "texts", "image", "images", "audio", "audios", "video", "videos"]) {
        Some(DatasetType::SingleTurn)
    } else {
        None
    }
}

/// What is wrong with a line that begins an array.
pub(crate) fn array(kind: Option<DatasetType>) -> String {
    let example = example(kind.unwrap_or(DatasetType::SingleTurn));
    format!(
        "this begins a JSON array, which is not JSONL; write one object per line without brackets and commas around them, such as {example} (`jq -c '.[]' FILE` does)"
    )
}

/// A line as it should be.
fn example(kind: DatasetType) -> &'static str {
    match kind {
        DatasetType::SingleTurn | DatasetType::RandomPool => r#"{"text": "a prompt"}"#,
        DatasetType::MultiTurn => r#"{"turns": [{"text": "first"}, {"text": "second"}]}"#,
        DatasetType::MooncakeTrace => r#"{"timestamp": 0, "input_length": 512, "output_length": 128}"#,
    }
}

/// Reads a line; the error says what is wrong in it and what to write instead.
pub(crate) fn parse(kind: DatasetType, text: &str) -> Result<Line, String> {
    let mut fields = Fields::of_line(kind, text)?;
    fields.check_type(kind)?;
    if kind == DatasetType::MultiTurn {
        return multi_turn(fields, text);
    }
    let (session_id, row) = single(kind, fields)?;
    Ok(Line { session_id, places: std::iter::once(0..text.len()).collect(), timestamp: row.timestamp })
}

/// Reads one turn at a place of a line that was found to be right.
pub(crate) fn parse_turn(kind: DatasetType, text: &str) -> Result<Row, String> {
    let mut fields = Fields::of_line(kind, text)?;
    if kind == DatasetType::MultiTurn {
        return turn(fields);
    }
    fields.check_type(kind)?;
    Ok(single(kind, fields)?.1)
}

/// A line that is one turn, with the name of the session that it belongs to.
fn single(kind: DatasetType, mut fields: Fields) -> Result<(Option<String>, Row), String> {
    let (row, known) = match kind {
        DatasetType::MooncakeTrace => (
            fields.trace()?,
            "input_length, text_input, messages, hash_ids, output_length, timestamp, delay, session_id, extra",
        ),
        DatasetType::SingleTurn | DatasetType::RandomPool | DatasetType::MultiTurn => (
            Row { stands_alone: true, ..fields.prompt()? },
            "text, texts, image, audio, video, role, output_length, extra, timestamp, delay, session_id",
        ),
    };
    let session_id = fields.name("session_id")?;
    fields.end(known)?;
    Ok((session_id, row))
}

/// A line of several turns, each of which is read once here, and once again by itself when it is sent.
fn multi_turn(mut fields: Fields, text: &str) -> Result<Line, String> {
    let session_id = fields.name("session_id")?;
    let turns: Vec<Map<String, Value>> =
        fields.take("turns", "a list of objects such as [{\"text\": \"…\"}]")?.unwrap_or_default();
    if turns.is_empty() {
        return Err(
            "there are no turns; write {\"turns\": [{\"text\": \"first\"}, {\"text\": \"second\"}]}".into()
        );
    }
    fields.end("session_id, turns")?;
    let mut timestamp = None;
    for (number, fields) in (1..).zip(turns) {
        let row = turn(Fields { place: format!("turn {number}: "), fields })?;
        if number == 1 {
            timestamp = row.timestamp;
        }
    }
    Ok(Line { session_id, places: places(text)?, timestamp })
}

fn turn(mut fields: Fields) -> Result<Row, String> {
    let row = fields.prompt()?;
    fields.end("text, texts, image, audio, video, role, output_length, extra, timestamp, delay")?;
    Ok(row)
}

/// Where the turns of a line stand in its text.
fn places(text: &str) -> Result<Vec<Range<usize>>, String> {
    #[derive(serde::Deserialize)]
    struct Turns<'a> {
        #[serde(borrow)]
        turns: Vec<&'a RawValue>,
    }
    let Turns { turns } = serde_json::from_str(text)
        .map_err(|error| format!("the turns cannot be told apart: {error}; write the field 'turns' once"))?;
    let start = |turn: &str| turn.as_ptr().addr() - text.as_ptr().addr();
    Ok(turns.iter().map(|turn| start(turn.get())..start(turn.get()) + turn.get().len()).collect())
}

/// The fields of an object that were not taken yet.
struct Fields {
    /// Where it stands within the line.
    place: String,
    fields: Map<String, Value>,
}

impl Fields {
    fn of_line(kind: DatasetType, text: &str) -> Result<Self, String> {
        let example = example(kind);
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { place: String::new(), fields }),
            Ok(_) => Err(format!("this is JSON, but no object; write for example {example}")),
            Err(error) => {
                let column = error.column();
                Err(format!(
                    "this is no JSON (column {column}); write one object per line, such as {example}"
                ))
            }
        }
    }

    /// Takes a field; none if it is not there or null.
    fn take<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Result<Option<T>, String> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let shown = excerpt(&value);
                let wrong = |_| format!("{}field '{name}' is {shown}, but must be {what}", self.place);
                serde_json::from_value(value).map(Some).map_err(wrong)
            }
        }
    }

    /// Takes the name of the type, which rows may have.
    fn check_type(&mut self, kind: DatasetType) -> Result<(), String> {
        let named: Option<String> = self.take("type", "the name of a type")?;
        match named.filter(|named| named != kind.name()) {
            None => Ok(()),
            Some(named) => Err(format!(
                "this is a line of the type {named}, but the file is read as {kind}; write {{\"type\": \"{kind}\", …}} or remove the field"
            )),
        }
    }

    /// The one text of `one`, or those of `many`, a list.
    fn texts(&mut self, one: &str, many: &str) -> Result<Vec<String>, String> {
        let single: Option<String> = self.take(one, "a text in quotes")?;
        let list: Option<Vec<String>> = self.take(many, "a list of texts such as [\"one\", \"two\"]")?;
        match (single, list) {
            (Some(_), Some(_)) => {
                Err(format!("{}fields '{one}' and '{many}' exclude each other; keep one of them", self.place))
            }
            (Some(single), None) => Ok(vec![single]),
            (None, list) => Ok(list.unwrap_or_default()),
        }
    }

    /// Text and media, for one turn.
    fn prompt(&mut self) -> Result<Row, String> {
        let texts = self.texts("text", "texts")?;
        let mut media = Vec::new();
        for kind in ["image", "audio", "video"] {
            for value in self.texts(kind, &format!("{kind}s"))? {
                if !["http://", "https://", "data:"].iter().any(|scheme| value.starts_with(scheme)) {
                    return Err(format!(
                        "{}field '{kind}' is '{value}', but must be a URL; write https://… or data:{kind}/…;base64,…",
                        self.place
                    ));
                }
                media.push(Part { kind: kind.into(), value });
            }
        }
        if texts.is_empty() && media.is_empty() {
            return Err(format!(
                "{}there is neither text nor image, audio or video; write for example {{\"text\": \"a prompt\"}}",
                self.place
            ));
        }
        let role = self.take("role", "a role such as \"user\" or \"system\"")?;
        Ok(Row { role, texts, media, ..self.common()? })
    }

    /// A request of a trace.
    fn trace(&mut self) -> Result<Row, String> {
        let text: Option<String> = self.take("text_input", "a text in quotes")?;
        let messages = self.messages()?;
        let input_length = self.count("input_length", Some(MOST_PROMPT_TOKENS))?;
        let hash_ids: Option<Vec<u64>> = self.take("hash_ids", "a list of whole numbers such as [17, 18]")?;
        if [text.is_some(), !messages.is_empty(), input_length.is_some()].iter().filter(|is| **is).count()
            != 1
        {
            return Err(
                "exactly one of input_length, text_input and messages is needed; write for example {\"input_length\": 512}"
                    .into(),
            );
        }
        Ok(Row {
            texts: text.into_iter().collect(),
            stands_alone: !messages.is_empty(),
            messages,
            input_length,
            hash_ids: hash_ids.unwrap_or_default(),
            ..self.common()?
        })
    }

    fn messages(&mut self) -> Result<Vec<Turn>, String> {
        #[derive(serde::Deserialize)]
        struct Message {
            role: String,
            content: String,
        }
        let what = "a list such as [{\"role\": \"user\", \"content\": \"a prompt\"}]";
        let messages: Option<Vec<Message>> = self.take("messages", what)?;
        let messages = messages.into_iter().flatten();
        Ok(messages.map(|message| Turn::text(message.role, message.content)).collect())
    }

    /// What requests of all kinds may say.
    fn common(&mut self) -> Result<Row, String> {
        Ok(Row {
            output_length: self.count("output_length", None)?,
            extra: self.take("extra", "an object such as {\"temperature\": 0}")?.unwrap_or_default(),
            timestamp: self.milliseconds("timestamp", None)?,
            delay: self.milliseconds("delay", Some(1000.0 * f64::from(MOST_SECONDS)))?,
            ..Row::default()
        })
    }

    fn count(&mut self, name: &str, most: Option<u32>) -> Result<Option<u32>, String> {
        let range = most.map_or_else(|| "1 on".to_owned(), |most| format!("1 to {most}"));
        let what = format!("a whole number of tokens from {range}, such as 128");
        let number: Option<u32> = self.take(name, &what)?;
        match number {
            Some(number) if number == 0 || most.is_some_and(|most| number > most) => {
                Err(format!("{}field '{name}' is {number}, but must be {what}", self.place))
            }
            number => Ok(number),
        }
    }

    fn milliseconds(&mut self, name: &str, most: Option<f64>) -> Result<Option<f64>, String> {
        let range = most.map_or_else(|| "0 on".to_owned(), |most| format!("0 to {most}"));
        let what = format!("a number of milliseconds from {range}, such as 1500");
        let number: Option<f64> = self.take(name, &what)?;
        match number {
            Some(number) if number < 0.0 || most.is_some_and(|most| number > most) => {
                Err(format!("{}field '{name}' is {number}, but must be {what}", self.place))
            }
            number => Ok(number),
        }
    }

    /// A name, which some traces write as a number.
    fn name(&mut self, name: &str) -> Result<Option<String>, String> {
        let name: Option<Value> = self.take(name, "a name in quotes")?;
        Ok(name.map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)))
    }

    /// Refuses what was not taken: it would be ignored.
    fn end(self, known: &str) -> Result<(), String> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!(
                "{}field '{name}' is not known and would be ignored; the fields are {known}",
                self.place
            )),
        }
    }
}

fn excerpt(value: &Value) -> String {
    const LENGTH: usize = 40;
    let text = value.to_string();
    if text.chars().count() <= LENGTH {
        return text;
    }
    text.chars().take(LENGTH).chain(std::iter::once('…')).collect()
}

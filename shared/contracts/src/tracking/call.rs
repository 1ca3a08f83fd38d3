//! The fields of one call, found in its text.

use super::json::{Malformed, Scanner};

/// One call of the tracking API: for each known field the JSON of its value, borrowed from the body. If a field is
/// repeated the last value wins, as in most JSON readers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) message_id: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) anonymous_id: Option<&'a str>,
    pub(crate) event: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) group_id: Option<&'a str>,
    pub(crate) previous_id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) original_timestamp: Option<&'a str>,
    pub(crate) sent_at: Option<&'a str>,
    pub(crate) properties: Option<&'a str>,
    pub(crate) traits: Option<&'a str>,
    pub(crate) context: Option<&'a str>,
    pub(crate) context_traits: Option<&'a str>,
    pub(crate) context_group_id: Option<&'a str>,
    pub(crate) context_timezone: Option<&'a str>,
    pub(crate) context_channel: Option<&'a str>,
    pub(crate) context_user_token: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    pub(crate) write_key: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// Reads the object that comes next.
    pub(crate) fn scan(scanner: &mut Scanner<'a>) -> Result<Self, Malformed> {
        let mut call = Self::default();
        scanner.object(|scanner, name| {
            if name == "context" && scanner.peek_value() == Some(b'{') {
                return call.read_context(scanner);
            }
            let value = scanner.value()?;
            let field = match name {
                "type" => &mut call.kind,
                "messageId" => &mut call.message_id,
                "userId" => &mut call.user_id,
                "anonymousId" => &mut call.anonymous_id,
                "event" => &mut call.event,
                "name" => &mut call.name,
                "groupId" => &mut call.group_id,
                "previousId" => &mut call.previous_id,
                "timestamp" => &mut call.timestamp,
                "originalTimestamp" => &mut call.original_timestamp,
                "sentAt" => &mut call.sent_at,
                "properties" => &mut call.properties,
                "traits" => &mut call.traits,
                "context" => &mut call.context,
                "channel" => &mut call.channel,
                "writeKey" => &mut call.write_key,
                _ => return Ok(()),
            };
            *field = present(value);
            Ok(())
        })?;
        Ok(call)
    }

    /// Reads the next value as the call's own context.
    pub(crate) fn read_context(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Malformed> {
        let start = scanner.at();
        (self.context_traits, self.context_group_id, self.context_timezone) = (None, None, None);
        (self.context_channel, self.context_user_token) = (None, None);
        scanner.object(|scanner, name| {
            let value = scanner.value()?;
            match name {
                "traits" => self.context_traits = present(value),
                "groupId" => self.context_group_id = present(value),
                "timezone" => self.context_timezone = present(value),
                "channel" => self.context_channel = present(value),
                "userToken" => self.context_user_token = present(value),
                _ => {}
            }
            Ok(())
        })?;
        self.context = Some(scanner.since(start));
        Ok(())
    }
}

/// Returns whether `json` is an empty object, array or string. PHP writes `[]` for an empty object.
pub(crate) fn is_empty(json: &str) -> bool {
    let inner = [('{', '}'), ('[', ']'), ('"', '"')]
        .iter()
        .find_map(|(open, close)| json.strip_prefix(*open).and_then(|rest| rest.strip_suffix(*close)));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

/// Returns `None` for `null`, which is the same as an absent field: Python's SDKs write one for every id that they
/// lack.
pub(crate) fn present(value: &str) -> Option<&str> {
    (value != "null").then_some(value)
}

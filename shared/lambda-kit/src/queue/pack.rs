//! Which bodies travel in one request.

use super::Unsent;

/// Entries of one `SendMessageBatch`.
pub const MAX_ENTRIES: usize = 10;

/// Bytes of one message, and of all messages of one `SendMessageBatch` together: 1 MiB.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub const MAX_BYTES: usize = 1 << 20;

/// Splits bodies, by their sizes, into requests within both limits, in their order. Bodies that SQS would reject
/// because of their size are returned separately.
pub(super) fn pack(sizes: impl IntoIterator<Item = usize>) -> (Vec<Vec<usize>>, Vec<Unsent>) {
    let mut requests: Vec<Vec<usize>> = Vec::new();
    let mut refused = Vec::new();
    let mut room = 0;
    for (index, size) in sizes.into_iter().enumerate() {
        let code = match size {
            0 => Some("EmptyBody"),
            _ if size > MAX_BYTES => Some("BodyTooLarge"),
            _ => None,
        };
        if let Some(code) = code {
            refused.push(Unsent { index, code: code.to_owned() });
            continue;
        }
        match requests.last_mut() {
            Some(last) if last.len() < MAX_ENTRIES && size <= room => {
                last.push(index);
                room -= size;
            }
            _ => {
                requests.push(vec![index]);
                room = MAX_BYTES - size;
            }
        }
    }
    (requests, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_bodies_travel_together_and_the_eleventh_alone() {
        let (requests, refused) = pack([100; 11]);
        assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [10, 1]);
        assert!(refused.is_empty());
    }

    #[test]
    fn a_request_is_full_at_one_mebibyte_exactly() {
        let half = MAX_BYTES / 2;
        assert_eq!(pack([half, half, 1]).0, [vec![0, 1], vec![2]]);
        assert_eq!(pack([half, half + 1]).0, [vec![0], vec![1]]);
        assert_eq!(pack([MAX_BYTES]).0, [vec![0]]);
    }

    #[test]
    fn bodies_that_sqs_would_refuse_are_kept_apart_and_stop_no_others() {
        let (requests, refused) = pack([1, 0, MAX_BYTES + 1, 1]);
        assert_eq!(requests, [vec![0, 3]]);
        let codes: Vec<_> = refused.iter().map(|unsent| (unsent.index, unsent.code.as_str())).collect();
        assert_eq!(codes, [(1, "EmptyBody"), (2, "BodyTooLarge")]);
    }
}

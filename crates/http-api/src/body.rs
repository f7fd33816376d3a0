//! A request's body, whole, within its bounds of size and time.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Body;

use crate::config::Limits;
use crate::problem::Problem;
use crate::within::within;

/// How long the rest of a refused body is read for.
const REST_LIMIT: Duration = Duration::from_secs(5);

/// How much of the rest of a refused body is read.
const REST_BYTES: usize = 32 * 1024 * 1024;

/// Reads a JSON body.
///
/// A length that is announced too large is refused before a byte is read; one that isn't
/// announced is refused as soon as it has passed the limit.
pub(crate) async fn read_json<B>(
    headers: &HeaderMap,
    body: &mut B,
    limits: &Limits,
) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    json_type(headers)?;
    let announced = body.size_hint().upper();
    pin!(read(
        body,
        limits.max_body_bytes,
        time_for(announced, limits)
    ))
    .await
}

/// A body of any size has this long, whatever the rate.
const GRACE: Duration = Duration::from_secs(5);

/// How long a body of so many announced bytes may take: a small one that trickles in must not
/// hold its place for as long as a large one may need.
fn time_for(announced: Option<u64>, limits: &Limits) -> Duration {
    let rate = u64::from(limits.min_body_rate.get());
    let by_rate = announced.map(|bytes| GRACE + Duration::from_secs(bytes / rate));
    by_rate.map_or(limits.body_timeout, |time| time.min(limits.body_timeout))
}

/// Throws away what is left of a refused body, in the background where it isn't all here.
///
/// Most clients send all of a body before they read an answer: if the connection were closed
/// on them half way, they would see a broken pipe and not the refusal. A client that waits
/// for a `100 Continue` or that was too slow already is left alone.
pub(crate) fn discard<B>(headers: &HeaderMap, mut body: B, refusal: &Problem)
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    let pointless = headers.contains_key(EXPECT)
        || refusal.status() == StatusCode::REQUEST_TIMEOUT
        || body.is_end_stream();
    // Most come with their heads: a task for each would make an overload worse.
    if !pointless && throw_away(&mut body).now_or_never().is_none() {
        tokio::spawn(tokio::time::timeout(REST_LIMIT, throw_away(body)));
    }
}

async fn throw_away<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > REST_BYTES {
            return;
        }
    }
}

async fn read<B>(body: &mut B, limit: usize, timeout: Duration) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    pin!(within(timeout, pin!(collect(body, limit))))
        .await
        .unwrap_or_else(|_| Err(Problem::body_timeout(timeout)))
}

async fn collect<B>(body: &mut B, limit: usize) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    // Most bodies come in one piece, which is then passed on without a copy; the pieces of
    // others are put together once.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Problem::broken_body())?.into_data() else {
            continue;
        };
        if first.len() + whole.len() + data.len() > limit {
            return Err(Problem::too_large(limit));
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
            whole.reserve(first.len() + data.len() + announced.min(limit));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// A body that names no type is taken for JSON; one that names another is refused, and so is
/// one that is compressed or in another charset than UTF-8.
fn json_type(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity");
    if coded {
        return Err(Problem::not_json_type());
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    if content_type == "application/json" {
        return Ok(());
    }
    let text = content_type
        .to_str()
        .map_err(|_| Problem::not_json_type())?;
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = media == "application/json"
        || media == "text/json"
        || (media.starts_with("application/") && media.ends_with("+json"));
    let utf8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| {
            let charset = value.trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset")
                || ["utf-8", "utf8", "us-ascii"]
                    .iter()
                    .any(|ok| charset.eq_ignore_ascii_case(ok))
        });
    if json && utf8 {
        Ok(())
    } else {
        Err(Problem::not_json_type())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::HeaderValue;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    fn pieces(
        list: &[&'static str],
    ) -> impl Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
        let frames: Vec<_> = list
            .iter()
            .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))))
            .collect();
        StreamBody::new(stream::iter(frames))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_is_here_is_thrown_away_at_once_and_the_rest_in_the_background() {
        let tasks = || {
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks()
        };
        let (headers, refusal) = (HeaderMap::new(), Problem::overloaded());
        discard(&headers, pieces(&["ab", "cd"]), &refusal);
        assert_eq!(tasks(), 0);
        let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        discard(&headers, silent, &refusal);
        assert_eq!(tasks(), 1);
    }

    #[tokio::test]
    async fn pieces_come_together_up_to_the_limit() {
        assert_eq!(
            read(&mut pieces(&["ab", "", "cd", "e"]), 5, MINUTE)
                .await
                .unwrap(),
            "abcde"
        );
        assert_eq!(read(&mut pieces(&[]), 5, MINUTE).await.unwrap(), "");
        let problem = read(&mut pieces(&["ab", "cd", "ef"]), 5, MINUTE)
            .await
            .unwrap_err();
        assert_eq!(problem.status(), 413);
        let mut announced = Full::new(Bytes::from_static(b"abcdef"));
        assert_eq!(
            read(&mut announced, 5, MINUTE).await.unwrap_err().status(),
            413
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_a_408() {
        let mut silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(
            read(&mut silent, 5, MINUTE).await.unwrap_err().status(),
            408
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_is_a_400() {
        let broken = stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("reset"))]);
        assert_eq!(
            read(&mut StreamBody::new(broken), 5, MINUTE)
                .await
                .unwrap_err()
                .status(),
            400
        );
    }

    #[test]
    fn a_body_s_time_grows_with_its_size_up_to_the_limit() {
        let limits = Limits {
            body_timeout: MINUTE,
            min_body_rate: std::num::NonZeroU32::new(1_000).unwrap(),
            ..Limits::default()
        };
        for (announced, seconds) in [
            (Some(0), 5),
            (Some(9_999), 14),
            (Some(u64::MAX), 60),
            (None, 60),
        ] {
            assert_eq!(time_for(announced, &limits).as_secs(), seconds);
        }
    }

    #[test]
    fn content_types() {
        for (value, good) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/vnd.odoo+json", true),
            ("text/json; charset=\"utf-8\"", true),
            ("application/json; charset=iso-8859-1", false),
            ("application/x-www-form-urlencoded", false),
            ("text/xml", false),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(value).unwrap())]);
            assert_eq!(json_type(&headers).is_ok(), good, "{value}");
        }
        assert!(json_type(&HeaderMap::new()).is_ok());
        let gzip = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        assert_eq!(json_type(&gzip).unwrap_err().status(), 415);
    }
}

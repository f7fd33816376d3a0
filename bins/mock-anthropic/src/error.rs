//! The API's error body, its types and their status codes.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// Details' `error_code` of an account that has used up its month: never worth a retry.
pub(crate) const SPEND_LIMIT: &str = "enforced_spend_limit_reached";

/// A refusal as the API makes it: a status, and a body of
/// `{"type":"error","error":{"type","message"},"request_id"}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) message: String,
    /// `error.details.error_code`.
    pub(crate) code: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind_of(status).to_owned(),
            message: message.into(),
            code: None,
            headers: Vec::new(),
        }
    }

    /// 400 `invalid_request_error`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error's body, also the data of a stream's `error` event.
    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut error = json!({"type": self.kind, "message": self.message});
        if let Some(code) = &self.code {
            error["details"] = json!({"error_code": code});
        }
        json!({"type": "error", "error": error, "request_id": request_id})
    }
}

/// The error type that the API gives with a status.
pub(crate) fn kind_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    }
}

/// The status that goes with an error type, for an answer that has not begun.
pub(crate) fn status_of(kind: &str) -> Option<StatusCode> {
    let code = match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => return None,
    };
    StatusCode::from_u16(code).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_statuses_agree_both_ways() {
        for code in [400, 401, 402, 403, 404, 409, 413, 429, 500, 504, 529] {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(status_of(kind_of(status)), Some(status));
        }
        assert_eq!(status_of("weather_error"), None);
    }

    #[test]
    fn the_body_has_the_real_shape() {
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "no more").with_code(SPEND_LIMIT);
        assert_eq!(
            error.body("req_1"),
            json!({
                "type": "error",
                "error": {
                    "type": "rate_limit_error",
                    "message": "no more",
                    "details": {"error_code": "enforced_spend_limit_reached"},
                },
                "request_id": "req_1",
            })
        );
    }
}

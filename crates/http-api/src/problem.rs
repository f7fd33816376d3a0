//! What went wrong, as the client reads it: `application/problem+json` (RFC 9457).

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// A refused request. The `detail` is what an ERP shows to its user; the `code` is what its
/// code may branch on.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

/// One value of the body that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: `"body"`, then member names and list positions.
    pub loc: Vec<Segment>,
    /// What is wrong, in Spanish.
    pub msg: String,
    /// What is wrong, as a stable English word.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// One step of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Segment {
    /// A member of an object.
    Name(String),
    /// A position in a list, from 0.
    Index(usize),
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl FieldError {
    /// The member `name` of the body is wrong.
    pub(crate) fn body(name: &str, kind: &'static str, msg: impl Into<String>) -> Self {
        let loc = vec![Segment::Name("body".into()), Segment::Name(name.into())];
        Self {
            loc,
            msg: msg.into(),
            kind,
        }
    }
}

impl Problem {
    /// One of this status; the detail is what a user reads.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let detail = detail.into();
        Self {
            status,
            code,
            title,
            detail,
            errors: Vec::new(),
            retry_after: None,
            allow: None,
        }
    }

    /// The same; waiting so long may help.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// 400: the body is not JSON.
    pub(crate) fn not_json(line: usize, column: usize) -> Self {
        let detail = format!(
            "El cuerpo de la solicitud no es JSON válido (línea {line}, columna {column})."
        );
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "Invalid JSON",
            detail,
        )
    }

    /// 400: the body ended early or was sent in a form that HTTP doesn't know.
    pub(crate) fn broken_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "incomplete_body",
            "Incomplete body",
            "El cuerpo de la solicitud llegó incompleto.",
        )
    }

    /// 401: no key, or one that nobody has.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Unauthorized",
            "Falta la clave de acceso o no es válida. Envíela como «Authorization: Bearer CLAVE» \
             o «X-API-Key: CLAVE».",
        )
    }

    /// 403: the key is good, but not for this company.
    pub(crate) fn foreign_company() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "company_not_allowed",
            "Forbidden",
            "La clave de acceso no está autorizada para esta compañía.",
        )
    }

    /// 403: the key is good, but not for this route.
    pub(crate) fn foreign_route() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "route_not_allowed",
            "Forbidden",
            "La clave de acceso no está autorizada para esta ruta.",
        )
    }

    /// 429: more wrong keys than an address may present.
    pub(crate) fn too_many_tries() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many requests",
            "Demasiados intentos con claves que no son válidas. Revise la clave configurada.",
        )
    }

    /// 429: more requests than the key may make.
    pub(crate) fn rate_limited() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests",
            "La clave de acceso superó su límite de solicitudes. Intente de nuevo más tarde.",
        )
    }

    /// 400: a head that says two things.
    pub(crate) fn ambiguous_head() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ambiguous_head",
            "Bad request",
            "La solicitud trae más de un encabezado Host.",
        )
    }

    /// 400: a parameter of the path or the query that makes no sense.
    pub(crate) fn bad_parameter(detail: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self::new(status, "invalid_parameter", "Invalid parameter", detail)
    }

    /// 404: what is asked for isn't there, or not yet.
    pub(crate) fn not_there(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, "Not found", detail)
    }

    /// 502: a source outside the service failed.
    pub(crate) fn bad_gateway(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, code, "Bad gateway", detail)
    }

    /// 503: what is asked for lies in the store, which is away.
    pub(crate) fn store_away() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "Service unavailable",
            "Los datos guardados no están disponibles en este momento. Intente de nuevo.",
        );
        problem.retry_after = Some(Duration::from_secs(2));
        problem
    }

    /// 404: no such route.
    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            "La ruta solicitada no existe.",
        )
    }

    /// 405: the route is there, the method is not.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("Esta ruta no acepta ese método; acepta {allow}.");
        let code = "method_not_allowed";
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code,
            "Method not allowed",
            detail,
        );
        problem.allow = Some(allow);
        problem
    }

    /// 408: the body didn't come in time.
    pub(crate) fn body_timeout(limit: Duration) -> Self {
        let detail = format!(
            "El cuerpo de la solicitud no terminó de llegar en {} segundos.",
            limit.as_secs_f64()
        );
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            "Request timeout",
            detail,
        )
    }

    /// 413: more bytes than are taken.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("El cuerpo de la solicitud supera el máximo de {limit} bytes.");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "Payload too large",
            detail,
        )
    }

    /// 415: a body that says it isn't JSON.
    pub(crate) fn not_json_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            "El cuerpo debe ser JSON en UTF-8, sin comprimir («Content-Type: application/json»).",
        )
    }

    /// 422: JSON of the wrong shape. `errors` is never empty.
    pub(crate) fn wrong_shape(errors: Vec<FieldError>) -> Self {
        let first = errors
            .first()
            .map_or_else(String::new, |error| error.msg.clone());
        let more = errors.len().saturating_sub(1);
        let detail = match more {
            0 => first,
            1 => format!("{first} (Hay otro error en la solicitud.)"),
            _ => format!("{first} (Hay otros {more} errores en la solicitud.)"),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Self::new(status, "invalid_request", "Unprocessable content", detail);
        problem.errors = errors;
        problem
    }

    /// 500: a defect of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Internal server error",
            "El servicio tuvo un error interno. Informe el identificador de la solicitud.",
        )
    }

    /// 503: more at once than this process takes.
    pub(crate) fn overloaded() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "Service unavailable",
            "El servicio está atendiendo demasiadas solicitudes. Intente de nuevo en un segundo.",
        );
        problem.retry_after = Some(Duration::from_secs(1));
        problem
    }

    /// 503: the answer didn't come within the request's time.
    pub(crate) fn deadline() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "deadline_exceeded",
            "Service unavailable",
            "El servicio no alcanzó a responder a tiempo. Intente de nuevo.",
        );
        problem.retry_after = Some(Duration::from_secs(1));
        problem
    }

    /// The status to answer with.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What a client's code may branch on.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// How long a client should wait, where waiting helps.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The methods that the route takes, for a 405.
    pub(crate) fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// The body to answer with.
    pub(crate) fn encode(&self, request_id: &str) -> Bytes {
        let wire = Wire {
            kind: "about:blank",
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: &self.errors,
        };
        // Strings, numbers and lists of them: nothing here can fail to encode.
        serde_json::to_vec(&wire).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_shape_says_the_first_and_counts_the_rest() {
        let error = |msg: &str| FieldError::body("wage", "greater_than", msg);
        let one = Problem::wrong_shape(vec![error("uno")]);
        assert_eq!(one.detail, "uno");
        let three = Problem::wrong_shape(vec![error("uno"), error("dos"), error("tres")]);
        let text = String::from_utf8(three.encode("id-1").to_vec()).unwrap();
        assert!(text.contains("otros 2 errores"), "{text}");
        assert!(text.contains(r#""loc":["body","wage"]"#), "{text}");
        assert!(text.contains(r#""request_id":"id-1""#), "{text}");
    }
}

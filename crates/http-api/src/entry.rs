//! Who gets in, and what every answer to them says beside what was asked.

use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use crate::app::Shared;
use crate::auth::{Caller, presented};
use crate::connection::Peer;
use crate::cors;
use crate::problem::Problem;
use crate::reply::{self, Body};
use crate::routes::{Action, Found, Watch};
use crate::throttle::{self, Standing};

/// Who asks, where the route wants to know; nobody gets in whose head says two things.
pub(crate) fn authenticate(
    shared: &Shared,
    peer: Peer,
    found: &Found,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, Problem> {
    if headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(Problem::ambiguous_head());
    }
    let figures = found.action == Action::Watch(Watch::Metrics) && shared.config.metrics_public;
    let public = found.route.public || figures;
    if public {
        return Ok(None);
    }
    let keys = shared.keys.load();
    match keys.authenticate(headers, || shared.now()) {
        Ok(caller) if caller.may(found.action) => Ok(Some(caller)),
        Ok(_) => Err(Problem::foreign_route()),
        // To present none is no try.
        Err(problem) if presented(headers).is_none() => Err(problem),
        Err(_) => {
            let client = shared.config.proxies.client(peer.address, headers);
            Err(shared.failed_tries.failed(client))
        }
    }
}

/// What an answer's headers say of the connection, the page and the key.
pub(crate) struct Manner {
    peer: Peer,
    /// The page that asks, where it may.
    origin: Option<HeaderValue>,
    standing: Option<Standing>,
}

impl Manner {
    /// Of a request with these headers.
    pub(crate) fn of(shared: &Shared, peer: Peer, headers: &HeaderMap) -> Self {
        Self {
            peer,
            origin: shared.config.cors.origin(headers).cloned(),
            standing: None,
        }
    }

    /// The answer, where the request is a browser's question whether a page may ask, and it may.
    pub(crate) fn preflight(
        &self,
        shared: &Shared,
        head: &Parts,
        id: &str,
    ) -> Option<Response<Body>> {
        self.origin.as_ref()?;
        if !cors::is_preflight(&head.method, &head.headers) {
            return None;
        }
        let mut response = reply::preflight(id);
        cors::preflight(response.headers_mut());
        self.write(shared, response.headers_mut());
        Some(response)
    }

    /// Takes one of the caller's permits for what costs something.
    pub(crate) async fn admit(
        &mut self,
        shared: &Shared,
        action: Action,
        caller: Option<&Arc<Caller>>,
    ) -> Result<(), Problem> {
        let (Action::Work(_), Some(caller)) = (action, caller) else {
            return Ok(());
        };
        let (standing, admitted) = throttle::admit(shared, caller).await;
        self.standing = standing;
        admitted
    }

    /// Says it.
    pub(crate) fn write(&self, shared: &Shared, headers: &mut HeaderMap) {
        if self.peer.secure {
            reply::only_over_tls(headers);
        }
        if let Some(standing) = &self.standing {
            standing.write(headers);
        }
        if shared.config.cors.is_used() {
            cors::vary(headers);
        }
        if let Some(origin) = &self.origin {
            cors::allow(headers, origin);
        }
    }
}

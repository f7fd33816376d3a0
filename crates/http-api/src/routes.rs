//! The routes there are: one table that the router, the metrics and the `Allow` header share.

use http::Method;
use matchit::Router;

use crate::problem::Problem;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Live,
    Ready,
    Health,
    Metrics,
    Validate,
}

/// The method that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its template, which is also its metric label.
    pub(crate) template: &'static str,
    pub(crate) action: Action,
    method: Verb,
    /// Whether it needs no key.
    pub(crate) public: bool,
}

static ROUTES: [Route; 5] = [
    Route::new("/live", Action::Live, Verb::Get, true),
    Route::new("/ready", Action::Ready, Verb::Get, true),
    Route::new("/health", Action::Health, Verb::Get, true),
    Route::new("/metrics", Action::Metrics, Verb::Get, false),
    Route::new("/api/ai/validate", Action::Validate, Verb::Post, false),
];

/// The label of requests that fit no route. It comes after the routes' own.
const UNMATCHED: &str = "unmatched";

impl Route {
    const fn new(template: &'static str, action: Action, method: Verb, public: bool) -> Self {
        Self {
            template,
            action,
            method,
            public,
        }
    }
}

impl Verb {
    /// Whether this is it; what takes `GET` takes `HEAD` too.
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Get => *method == Method::GET || *method == Method::HEAD,
            Self::Post => *method == Method::POST,
        }
    }

    /// As the `Allow` header has it.
    const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
        }
    }
}

/// Finds the route of a request.
#[derive(Debug)]
pub(crate) struct Routes {
    router: Router<usize>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        let mut router = Router::new();
        for (index, route) in ROUTES.iter().enumerate() {
            // Two templates that clash are a defect that the test below finds.
            let inserted = router.insert(route.template, index);
            debug_assert!(inserted.is_ok(), "{} clashes", route.template);
        }
        Self { router }
    }

    /// The metric labels: a route's place in this list is its index.
    pub(crate) fn labels() -> Vec<&'static str> {
        ROUTES
            .iter()
            .map(|route| route.template)
            .chain([UNMATCHED])
            .collect()
    }

    /// The label at this place in the list.
    pub(crate) fn label(index: usize) -> &'static str {
        ROUTES.get(index).map_or(UNMATCHED, |route| route.template)
    }

    /// The index of `path`'s route, or of "unmatched", and the route if it takes `method`.
    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> (usize, Result<&'static Route, Problem>) {
        let Ok(found) = self.router.at(path) else {
            return (ROUTES.len(), Err(Problem::not_found()));
        };
        let index = *found.value;
        let Some(route) = ROUTES.get(index) else {
            return (ROUTES.len(), Err(Problem::not_found()));
        };
        if route.method.takes(method) {
            (index, Ok(route))
        } else {
            (
                index,
                Err(Problem::method_not_allowed(route.method.allow())),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_finds_itself() {
        let routes = Routes::new();
        for (index, route) in ROUTES.iter().enumerate() {
            let method = if route.method == Verb::Get {
                Method::GET
            } else {
                Method::POST
            };
            let (found, outcome) = routes.find(&method, route.template);
            assert_eq!(found, index);
            assert_eq!(outcome.unwrap().action, route.action);
        }
        assert_eq!(Routes::labels().len(), ROUTES.len() + 1);
    }

    #[test]
    fn wrong_paths_and_methods() {
        let routes = Routes::new();
        let status = |method: Method, path| routes.find(&method, path).1.map(|route| route.action);
        assert_eq!(status(Method::HEAD, "/live").unwrap(), Action::Live);
        let problem = status(Method::DELETE, "/live").unwrap_err();
        assert_eq!(
            (problem.status().as_u16(), problem.allow()),
            (405, Some("GET, HEAD"))
        );
        assert_eq!(
            status(Method::HEAD, "/api/ai/validate")
                .unwrap_err()
                .allow(),
            Some("POST")
        );
        for path in ["/", "/live/", "/LIVE", "/api/ai", "//live"] {
            assert_eq!(
                status(Method::GET, path).unwrap_err().status(),
                404,
                "{path}"
            );
        }
    }
}

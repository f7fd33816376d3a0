//! The routes there are: one table that the router, the metrics and the `Allow` header share.

use http::Method;
use matchit::Router;

use crate::problem::Problem;

/// What a method of a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Tells how the service is: never shed.
    Watch(Watch),
    /// Does something for a caller, in a place of its own.
    Work(Work),
}

/// The routes for those who watch the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    Live,
    Ready,
    Health,
    Metrics,
    OpenApi,
    Docs,
    DocsFile,
    AnalyticsHealth,
}

/// The routes that callers ask something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Costs,
    Validate,
    ChatSessionNew,
    ChatMessage,
    ChatStream,
    ChatSession,
    ChatDelete,
    ChatSearch,
    MatchPo,
    Reconcile,
    SuggestProject,
    AnalyticsStats,
    PayrollValidate,
    PayrollIndicators,
    SiiMonitor,
    SiiStatus,
    SiiNews,
    SiiItem,
}

/// The method that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Delete,
}

/// One path and what its methods do.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its template, which is also its metric label.
    pub(crate) template: &'static str,
    /// Whether it needs no key.
    pub(crate) public: bool,
    methods: &'static [(Verb, Action)],
    /// Whether it is left out of the description: it serves what another route needs.
    hidden: bool,
}

/// A request's route.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) route: &'static Route,
    pub(crate) action: Action,
    /// The part of the path that the template leaves open, where it does.
    pub(crate) param: Option<String>,
}

static ROUTES: [Route; 25] = [
    Route::new("/live", &[get(Watch::Live)]).open(),
    Route::new("/ready", &[get(Watch::Ready)]).open(),
    Route::new("/health", &[get(Watch::Health)]).open(),
    Route::new("/metrics", &[get(Watch::Metrics)]),
    Route::new("/metrics/costs", &[work(Verb::Get, Work::Costs)]),
    Route::new("/openapi.json", &[get(Watch::OpenApi)]).open(),
    Route::new("/docs", &[get(Watch::Docs)]).open(),
    Route::new("/docs/{file}", &[get(Watch::DocsFile)])
        .open()
        .hidden(),
    Route::new("/api/ai/validate", &[post(Work::Validate)]),
    Route::new("/api/chat/session/new", &[post(Work::ChatSessionNew)]),
    Route::new("/api/chat/message", &[post(Work::ChatMessage)]),
    Route::new("/api/chat/message/stream", &[post(Work::ChatStream)]),
    Route::new(
        "/api/chat/session/{id}",
        &[
            (Verb::Get, Action::Work(Work::ChatSession)),
            (Verb::Delete, Action::Work(Work::ChatDelete)),
        ],
    ),
    Route::new(
        "/api/chat/knowledge/search",
        &[(Verb::Get, Action::Work(Work::ChatSearch))],
    ),
    Route::new("/api/ai/reception/match_po", &[post(Work::MatchPo)]),
    Route::new("/api/ai/reconcile", &[post(Work::Reconcile)]),
    Route::new(
        "/api/ai/analytics/suggest_project",
        &[post(Work::SuggestProject)],
    ),
    Route::new("/api/ai/analytics/health", &[get(Watch::AnalyticsHealth)]).open(),
    Route::new(
        "/api/ai/analytics/stats",
        &[work(Verb::Get, Work::AnalyticsStats)],
    ),
    Route::new("/api/payroll/validate", &[post(Work::PayrollValidate)]),
    Route::new(
        "/api/payroll/indicators/{period}",
        &[work(Verb::Get, Work::PayrollIndicators)],
    ),
    Route::new("/api/ai/sii/monitor", &[post(Work::SiiMonitor)]),
    Route::new("/api/ai/sii/status", &[work(Verb::Get, Work::SiiStatus)]),
    Route::new("/api/ai/sii/news", &[work(Verb::Get, Work::SiiNews)]),
    Route::new("/api/ai/sii/news/{id}", &[work(Verb::Get, Work::SiiItem)]),
];

/// Every route that the description tells of.
pub(crate) fn described() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| !route.hidden)
}

const fn get(watch: Watch) -> (Verb, Action) {
    (Verb::Get, Action::Watch(watch))
}

const fn post(does: Work) -> (Verb, Action) {
    work(Verb::Post, does)
}

const fn work(verb: Verb, does: Work) -> (Verb, Action) {
    (verb, Action::Work(does))
}

/// The label of requests that fit no route. It comes after the routes' own.
const UNMATCHED: &str = "unmatched";

impl Route {
    const fn new(template: &'static str, methods: &'static [(Verb, Action)]) -> Self {
        Self {
            template,
            public: false,
            methods,
            hidden: false,
        }
    }

    /// The same, without a key.
    const fn open(mut self) -> Self {
        self.public = true;
        self
    }

    /// The same, told to nobody.
    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// What its methods do.
    pub(crate) fn methods(&self) -> &'static [(Verb, Action)] {
        self.methods
    }

    fn action(&self, method: &Method) -> Option<Action> {
        let mut methods = self.methods.iter();
        let (_, action) = methods.find(|(verb, _)| verb.takes(method))?;
        Some(*action)
    }

    /// As the `Allow` header has it.
    fn allow(&self) -> &'static str {
        match self.methods {
            [(Verb::Post, _)] => "POST",
            [(Verb::Get, _), (Verb::Delete, _)] => "GET, HEAD, DELETE",
            _ => "GET, HEAD",
        }
    }
}

impl Verb {
    /// Whether this is it; what takes `GET` takes `HEAD` too.
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Get => *method == Method::GET || *method == Method::HEAD,
            Self::Post => *method == Method::POST,
            Self::Delete => *method == Method::DELETE,
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
    pub(crate) fn find(&self, method: &Method, path: &str) -> (usize, Result<Found, Problem>) {
        let Ok(matched) = self.router.at(path) else {
            return (ROUTES.len(), Err(Problem::not_found()));
        };
        let index = *matched.value;
        let Some(route) = ROUTES.get(index) else {
            return (ROUTES.len(), Err(Problem::not_found()));
        };
        let Some(action) = route.action(method) else {
            return (index, Err(Problem::method_not_allowed(route.allow())));
        };
        let param = matched.params.iter().next();
        let found = Found {
            route,
            action,
            param: param.map(|(_, value)| value.to_owned()),
        };
        (index, Ok(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_finds_itself() {
        let routes = Routes::new();
        for (index, route) in ROUTES.iter().enumerate() {
            for (verb, action) in route.methods {
                let method = match verb {
                    Verb::Get => Method::GET,
                    Verb::Post => Method::POST,
                    Verb::Delete => Method::DELETE,
                };
                let (found, outcome) = routes.find(&method, route.template);
                assert_eq!(found, index);
                assert_eq!(outcome.unwrap().action, *action);
            }
        }
        assert_eq!(Routes::labels().len(), ROUTES.len() + 1);
    }

    #[test]
    fn wrong_paths_and_methods() {
        let routes = Routes::new();
        let status = |method: Method, path| routes.find(&method, path).1.map(|found| found.action);
        assert_eq!(
            status(Method::HEAD, "/live").unwrap(),
            Action::Watch(Watch::Live)
        );
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

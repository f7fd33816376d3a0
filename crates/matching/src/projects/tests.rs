//! Projects are suggested for reasons, and only those that were offered.

use proptest::prelude::*;

use super::*;

fn project(id: i64, name: &str, code: &str) -> Project {
    Project {
        id,
        name: name.into(),
        code: Some(code.into()),
        state: Some("open".into()),
        ..Project::default()
    }
}

fn purchase(project: &str, date: &str) -> Purchase {
    Purchase {
        project: project.into(),
        date: date.parse().ok(),
        ..Purchase::default()
    }
}

fn line(description: &str) -> Line {
    Line {
        description: description.into(),
        quantity: Some(Decimal::ONE),
        unit_price: Some(Decimal::from(1_000)),
        ..Line::default()
    }
}

fn query() -> ProjectQuery {
    let history = (1..=8).map(|day| purchase("EDIFICIO LOS ROBLES", &format!("2026-10-0{day}")));
    ProjectQuery {
        lines: vec![line("Cemento especial 25 kg")],
        projects: vec![
            project(1, "Edificio Los Robles", "ELR-01"),
            project(2, "Puente Ficticio", "PTE-22"),
        ],
        history: history.collect(),
        ..ProjectQuery::default()
    }
}

#[test]
fn a_supplier_of_one_project_is_for_that_project() {
    let found = suggest_project(&query());
    assert_eq!(found.project_id, Some(1), "{found:?}");
    assert_eq!(found.project_name.as_deref(), Some("Edificio Los Robles"));
    assert!(
        found.reasoning.contains("8 de 8 compras anteriores"),
        "{}",
        found.reasoning
    );
}

#[test]
fn without_anything_known_none_is_named() {
    let found = suggest_project(&ProjectQuery {
        history: Vec::new(),
        ..query()
    });
    assert_eq!((found.project_id, found.project_name), (None, None));
    assert!(
        found.confidence < SUGGEST_AT
            && found.reasoning.contains("no hay compras")
                | found.reasoning.contains("No hay compras")
    );
    let none = suggest_project(&ProjectQuery::default());
    assert_eq!((none.project_id, none.confidence), (None, 0));
}

#[test]
fn a_code_in_the_lines_counts() {
    let mut asked = ProjectQuery {
        history: Vec::new(),
        ..query()
    };
    asked.lines.push(line("Flete a obra PTE-22"));
    let found = suggest_project(&asked);
    assert_eq!(found.candidates[0].project_id, 2);
    assert_eq!(found.candidates[0].features.mention, 1.0);
}

#[test]
fn closed_projects_and_small_budgets_lose() {
    let open = suggest_project(&query()).confidence;
    let mut closed = query();
    closed.projects[0].state = Some("Cancelado".into());
    assert!(suggest_project(&closed).candidates[0].probability * 100.0 < f64::from(open));
    let mut small = query();
    small.projects[0].budget = Some(Decimal::from(999));
    assert!(suggest_project(&small).confidence < open);
}

proptest! {
    #[test]
    fn always_one_of_those_offered_whatever_their_order(
        names in prop::collection::vec("[A-Za-z áñ0-9-]{0,12}", 0..6),
        past in prop::collection::vec((0..8_usize, 1..28_i8), 0..12),
        text in ".{0,60}",
    ) {
        let projects: Vec<Project> = (0..).zip(&names).map(|(id, name)| project(id, name, "")).collect();
        let history = past.iter().map(|(at, day)| {
            purchase(names.get(*at).map_or("otro", String::as_str), &format!("2026-05-{day:02}"))
        });
        let mut asked = ProjectQuery { lines: vec![line(&text)], projects, history: history.collect(), ..ProjectQuery::default() };
        let found = suggest_project(&asked);
        prop_assert!(found.project_id.is_none_or(|id| asked.projects.iter().any(|one| one.id == id)));
        prop_assert_eq!(found.project_id.is_some(), found.confidence >= SUGGEST_AT);
        asked.projects.reverse();
        asked.history.reverse();
        let again = suggest_project(&asked);
        prop_assert_eq!((found.project_id, found.confidence), (again.project_id, again.confidence));
    }
}

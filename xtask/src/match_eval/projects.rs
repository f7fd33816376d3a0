//! Synthetic project questions: a supplier with a past, projects, a purchase.
//!
//! Which project is right is drawn: the one that the lines name, else one of the supplier's
//! projects as often as before, else any; in some questions it isn't offered. So nobody can always be right, and a good
//! confidence says how often.

use jiff::ToSpan as _;
use jiff::civil::date;
use matching::Line;
use matching::projects::{Project, ProjectQuery, Purchase, suggest_project};
use rust_decimal::Decimal;

use super::catalogue::Product;
use super::figures::{Answer, Figures};
use super::fit::{Choice, fit};
use crate::random::Random;

const KINDS: [&str; 12] = [
    "Edificio",
    "Condominio",
    "Puente",
    "Colegio",
    "Hospital",
    "Ampliación",
    "Bodega",
    "Loteo",
    "Remodelación",
    "Planta",
    "Camino",
    "Oficinas",
];
const PLACES: [&str; 16] = [
    "Los Robles",
    "El Maitén",
    "Costa Norte",
    "San Ejemplo",
    "La Quebrada",
    "Río Ficticio",
    "Las Araucarias",
    "Puerto Inventado",
    "Altos del Valle",
    "Santa Prueba",
    "El Boldo",
    "Laguna Azul",
    "Cerro Pardo",
    "Bosque Sur",
    "Los Coihues",
    "Mirador",
];
const STATES: [&str; 5] = ["open", "open", "in_progress", "draft", "done"];

/// A question and the project that is right.
struct Case {
    query: ProjectQuery,
    /// None where it isn't offered.
    truth: Option<i64>,
}

fn cases(families: &[Vec<Product>], seed: u64, count: usize) -> Vec<Case> {
    (0..count)
        .map(|number| {
            case(
                families,
                &mut Random::new(seed, &format!("project {number}")),
            )
        })
        .collect()
}

fn case(families: &[Vec<Product>], random: &mut Random) -> Case {
    let projects: Vec<Project> = (0..1 + random.below(15))
        .map(|at| project(at, random))
        .collect();
    let open: Vec<&Project> = projects
        .iter()
        .filter(|project| project.state.as_deref() != Some("done"))
        .collect();
    let any = |random: &mut Random| {
        let one = open.get(random.below(open.len())).copied();
        one.or(projects.first()).cloned().unwrap_or_default()
    };
    let main = any(random);
    let faithful = [50, 75, 90, 97][random.below(4)];
    let history = history(&main, &projects, faithful, random);
    let mut lines = lines(families, random);
    let last = history.iter().max_by_key(|purchase| purchase.date);
    let of_last = projects.iter().find(|project| {
        last.is_some_and(|last| last.project.to_uppercase() == project.name.to_uppercase())
    });
    let mut truth = match (history.is_empty(), of_last) {
        (false, Some(again)) if random.below(100) < 15 => again.clone(),
        (false, _) if random.below(100) < faithful => main,
        _ => any(random),
    };
    // Most purchases fit their budget.
    let amount: Decimal = lines
        .iter()
        .filter_map(|line| Some(line.quantity? * line.unit_price?))
        .sum();
    if truth.budget.is_some_and(|budget| budget < amount) && random.below(100) < 70 {
        truth = any(random);
    }
    if random.below(100) < 22 {
        truth = any(random);
        name_it(&mut lines, &truth, random);
    }
    let mut offered = projects;
    if random.below(100) < 15 {
        offered.retain(|project| project.id != truth.id);
    }
    let possible = offered.iter().any(|project| project.id == truth.id);
    let query = ProjectQuery {
        lines,
        projects: offered,
        history,
        ..ProjectQuery::default()
    };
    Case {
        truth: possible.then_some(truth.id),
        query,
    }
}

fn project(at: usize, random: &mut Random) -> Project {
    let (kind, place) = (
        KINDS[random.below(KINDS.len())],
        PLACES[random.below(PLACES.len())],
    );
    let id = i64::try_from(at).unwrap_or(0) + 1;
    Project {
        id,
        name: format!("{kind} {place}"),
        code: (random.below(3) > 0).then(|| format!("OBR-{:03}", 100 + at * 7)),
        client: Some(format!(
            "Inmobiliaria {}",
            PLACES[random.below(PLACES.len())]
        )),
        state: Some(STATES[random.below(STATES.len())].to_owned()),
        budget: (random.below(2) == 0).then(|| Decimal::from(300_000 + random.below(30_000_000))),
    }
}

fn history(
    main: &Project,
    projects: &[Project],
    faithful: usize,
    random: &mut Random,
) -> Vec<Purchase> {
    let count = match random.below(10) {
        0..=1 => 0,
        2..=4 => 1 + random.below(3),
        _ => 4 + random.below(20),
    };
    let purchases = (0..count).map(|_| {
        let other = &projects[random.below(projects.len())];
        let project = if random.below(100) < faithful {
            main
        } else {
            other
        };
        let days = i64::try_from(random.below(500)).unwrap_or(0);
        Purchase {
            date: Some(date(2026, 10, 30).saturating_sub(days.days())),
            project: if random.below(3) == 0 {
                project.name.to_uppercase()
            } else {
                project.name.clone()
            },
            amount: Some(Decimal::from(10_000 + random.below(2_000_000))),
            description: None,
        }
    });
    purchases.collect()
}

fn lines(families: &[Vec<Product>], random: &mut Random) -> Vec<Line> {
    let family = &families[random.below(families.len())];
    let line = |random: &mut Random| {
        let product = &family[random.below(family.len())];
        let variant = product.variants[random.below(product.variants.len())];
        Line {
            description: product.name.replace("{}", variant),
            quantity: Some(Decimal::from(1 + random.below(20))),
            unit_price: Some(Decimal::from(product.price)),
            ..Line::default()
        }
    };
    (0..1 + random.below(6)).map(|_| line(random)).collect()
}

/// The lines say what they are for: by code, by name, by a part of it.
fn name_it(lines: &mut [Line], project: &Project, random: &mut Random) {
    let place = project
        .name
        .split_once(' ')
        .map_or(project.name.as_str(), |(_, place)| place);
    let said = match (random.below(3), &project.code) {
        (0, Some(code)) => code.clone(),
        (1, _) => project.name.to_uppercase(),
        _ => format!("obra {place}"),
    };
    let at = random.below(lines.len());
    if let Some(line) = lines.get_mut(at) {
        line.description = format!("{} {said}", line.description);
    }
}

/// The figures of so many questions.
pub fn figures(families: &[Vec<Product>], seed: u64, count: usize) -> Figures {
    let answers = cases(families, seed, count).into_iter().map(|case| {
        let found = suggest_project(&case.query);
        Answer {
            confidence: found.confidence,
            named: found.project_id.is_some(),
            right: found
                .candidates
                .first()
                .is_some_and(|one| Some(one.project_id) == case.truth),
            possible: case.truth.is_some(),
        }
    });
    Figures::of("projects, held out", &answers.collect::<Vec<_>>())
}

/// Coefficients fitted anew.
pub fn fitted(families: &[Vec<Product>], seeds: std::ops::Range<u64>, count: usize) -> [f64; 8] {
    let cases = seeds.flat_map(|seed| cases(families, seed, count));
    let choices: Vec<Choice<8>> = cases
        .map(|case| {
            let candidates = suggest_project(&case.query).candidates;
            let candidates = candidates
                .iter()
                .map(|one| (one.features.values(), Some(one.project_id) == case.truth));
            Choice {
                candidates: candidates.collect(),
            }
        })
        .collect();
    // constant, history, latest, text, mention, client, closed, over budget
    fit(
        &choices,
        [-1, 1, 1, 1, 1, 1, -1, -1],
        [-3.0, 5.0, 0.5, 3.0, 3.0, 1.5, -3.0, -1.5],
    )
}

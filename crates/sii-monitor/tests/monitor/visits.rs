//! Thirty visits to a site that changes by script: what changed against what was reported.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sii_monitor::archive::NewsQuery;
use sii_monitor::fetch::HttpFetcher;
use sii_monitor::index::Tipo;
use sii_monitor::item::Item;
use sii_monitor::source::{Kind, Source};

use crate::fetching::quick;
use crate::rig::{Told, clock, monitor, store};
use crate::site::{Answer, Site, pdf};

/// The site's content; `publish` writes it as pages.
struct World {
    site: Site,
    /// Number, day of November, what it is about.
    circulares: Vec<(u32, u32, &'static str)>,
    resoluciones: Vec<(u32, u32, &'static str)>,
    noticias: Vec<(&'static str, &'static str)>,
    tables: bool,
    circulares_utf8: bool,
    redesigned: bool,
    utm: &'static str,
    deadline: &'static str,
    moved: bool,
    manual: u32,
}

impl World {
    fn publish(&self) {
        self.circulares();
        self.resoluciones();
        let news: String = self
            .noticias
            .iter()
            .map(|(title, url)| format!("<h3><a href='{url}'>{title}</a></h3><p>Leer más</p>"))
            .collect();
        self.site.html(
            "/noticias.htm",
            &self.framed(&format!("<h2>Noticias</h2>{news}")),
        );
        self.normativa();
        let rows = format!(
            "<h2>UTM 2026</h2><table><tr><th>Mes</th><th>UTM</th></tr><tr><td>Octubre</td>\
             <td>$69.542</td></tr><tr><td>Noviembre</td><td>{}</td></tr></table>",
            self.utm
        );
        let tag = Some(format!("\"{}\"", self.utm));
        self.site.set(
            "/utm.htm",
            Answer::Page("text/html; charset=utf-8", rows.into(), tag),
        );
        let mut lines: Vec<String> =
            vec!["1.- ALCANCE".into(), "Este manual rige para todos.".into()];
        lines.push("2.- CAMPOS".into());
        lines.extend((1..self.manual).map(|n| format!("El campo <Campo{n}> lleva el dato {n}.")));
        self.site.set(
            "/manual.pdf",
            Answer::Page("application/pdf", pdf(&lines), None),
        );
    }

    fn circulares(&self) {
        let mut body = "<h2>Circulares 2026</h2>".to_owned();
        if self.tables {
            body.push_str("<table><tr><th>N°</th><th>Fecha</th><th>Materia</th></tr>");
        }
        for (n, day, about) in &self.circulares {
            let lines = vec![
                format!("CIRCULAR N {n}"),
                format!(
                    "Materia {n}: {}. ",
                    "texto propio de la circular numero ".repeat(8)
                ),
                format!("Regira a contar del {n} de diciembre de 2026."),
            ];
            let url = format!("/c/circu{n}.pdf");
            self.site
                .set(&url, Answer::Page("application/pdf", pdf(&lines), None));
            body.push_str(&if self.tables {
                format!("<tr><td><a href='{url}'>{n}</a></td><td>{day:02}/11/2026</td><td>{about}</td></tr>")
            } else {
                format!(
                    "<h5><a href='{url};jsessionid={{n}}'>Circular N° {n} del {day} de Noviembre del \
                     2026</a></h5><p>{about}</p>"
                )
            });
        }
        if self.tables {
            body.push_str("</table>");
        }
        let page = self.framed(&body);
        if self.circulares_utf8 {
            self.site.html("/circulares.htm", &page);
        } else {
            self.site.old_html("/circulares.htm", &page);
        }
    }

    fn resoluciones(&self) {
        let mut body = "<h2>Resoluciones 2026</h2>".to_owned();
        if !self.tables {
            body.push_str("<table><tr><th>Número</th><th>Fecha</th><th>Descripción</th></tr>");
        }
        for (n, day, about) in &self.resoluciones {
            let url = format!("/r/reso{n}.pdf");
            body.push_str(&if self.tables {
                format!(
                    "<div class='item'><h4><a href='{url}'>Resolución Exenta SII N° {n} del {day} de \
                     noviembre de 2026</a></h4><p>{about}</p></div>"
                )
            } else {
                format!("<tr><td><a href='{url}'>{n}</a></td><td>{day:02}-11-2026</td><td>{about}</td></tr>")
            });
        }
        if !self.tables {
            body.push_str("</table>");
        }
        self.site.html("/resoluciones.htm", &self.framed(&body));
    }

    fn normativa(&self) {
        let (a, b) = (
            "<p>La factura electrónica es obligatoria para todos los contribuyentes del país.</p>",
            "<p>Los documentos se envían al Servicio en formato XML y firmados por el emisor.</p>",
        );
        let order = if self.moved { [b, a] } else { [a, b] };
        let body = format!(
            "<h2>Factura electrónica</h2>{}<h3>Plazos</h3><p>La certificación vence el {}.</p>\
             <p>Frase: {{n}} aves, {{n}} peces y {{n}} flores.</p>",
            order.concat(),
            self.deadline
        );
        self.site.html("/normativa.htm", &self.framed(&body));
    }

    /// What a visit adds: a menu, a session, a counter, the day.
    fn framed(&self, body: &str) -> String {
        let noise = "<nav><a href='/?s={n}'>Inicio</a></nav><div class='cookie-aviso'>Acepte {n}</div>\
                     <p>Visitas: {n}</p><script>var t={n};</script>";
        if self.redesigned {
            return format!(
                "<div id='app'><header>SII {{n}}</header><main><section><div>{body}</div></section></main>\
                 <footer>{noise}</footer></div>"
            );
        }
        format!("{noise}<div id='contenido'>{body}</div><p>Última actualización: {{n}}</p>")
    }
}

fn sources(site: &Site) -> Vec<Source> {
    let of = |key: &str, path: &str, kind, tipo| Source {
        tipo,
        ..Source::new(key, &site.url(path), kind)
    };
    vec![
        of("circulares", "/circulares.htm", Kind::Index, Tipo::Circular),
        of(
            "resoluciones",
            "/resoluciones.htm",
            Kind::Index,
            Tipo::Resolucion,
        ),
        of("noticias", "/noticias.htm", Kind::Index, Tipo::Publicacion),
        of(
            "normativa",
            "/normativa.htm",
            Kind::Article,
            Tipo::Publicacion,
        ),
        of("utm", "/utm.htm", Kind::Table, Tipo::Publicacion),
        of("manual", "/manual.pdf", Kind::Pdf, Tipo::Publicacion),
    ]
}

/// What a visit's script does, and what it must make the monitor say: items as
/// `SOURCE EVENT`, failures as `PAGE NAME`.
struct Step {
    what: &'static str,
    change: fn(&mut World),
    items: &'static [&'static str],
    errors: &'static [&'static str],
}

const fn step(what: &'static str, change: fn(&mut World), items: &'static [&'static str]) -> Step {
    Step {
        what,
        change,
        items,
        errors: &[],
    }
}

const fn broken(
    what: &'static str,
    change: fn(&mut World),
    errors: &'static [&'static str],
) -> Step {
    Step {
        what,
        change,
        items: &[],
        errors,
    }
}

const SCRIPT: [Step; 30] = [
    step("first visit", |_| {}, &[]),
    step("noise only", |_| {}, &[]),
    step("noise only", |_| {}, &[]),
    step("noise only", |_| {}, &[]),
    step(
        "circular 12 is new",
        |w| {
            w.circulares
                .insert(0, (12, 20, "Modifica el formato de la boleta."))
        },
        &["circulares nuevo"],
    ),
    step("noise only", |_| {}, &[]),
    step(
        "the news list it too",
        |w| {
            w.noticias
                .insert(0, ("SII imparte instrucciones", "/c/circu12.pdf"))
        },
        &[],
    ),
    step(
        "a typo is fixed",
        |w| w.resoluciones[0].2 = "Fija procedimiento de timbraje.",
        &["resoluciones modificado"],
    ),
    step("the UTM answers 304", |_| {}, &[]),
    broken(
        "503",
        |w| w.site.set("/circulares.htm", Answer::Status(503, None)),
        &["circulares server_error"],
    ),
    step("back again", |_| {}, &[]),
    step(
        "an entry is removed",
        |w| {
            w.resoluciones.remove(1);
        },
        &["resoluciones eliminado"],
    ),
    step("indexes redesigned", |w| w.tables = true, &[]),
    step("all pages redesigned", |w| w.redesigned = true, &[]),
    broken(
        "an index is empty",
        |w| w.site.html("/circulares.htm", "<h2>Circulares</h2>"),
        &["circulares no_entries"],
    ),
    step("back again", |_| {}, &[]),
    broken(
        "a page has shrunk",
        |w| w.site.html("/normativa.htm", "<p>Error interno</p>"),
        &["normativa shrunk"],
    ),
    broken(
        "a page is empty",
        |w| w.site.html("/normativa.htm", ""),
        &["normativa empty"],
    ),
    broken(
        "to the cloud's secrets",
        |w| {
            w.site.set(
                "/normativa.htm",
                Answer::Redirect("http://169.254.169.254/".into()),
            )
        },
        &["normativa private_address"],
    ),
    broken(
        "200 MB",
        |w| w.site.set("/normativa.htm", Answer::Huge),
        &["normativa too_large"],
    ),
    broken(
        "a byte at a time",
        |w| w.site.set("/normativa.htm", Answer::Trickle),
        &["normativa timeout"],
    ),
    step("back again", |_| {}, &[]),
    step(
        "the UTM is another",
        |w| w.utm = "$70.118",
        &["utm modificado"],
    ),
    step("a new edition", |w| w.manual = 9, &["manual modificado"]),
    step(
        "circular 13 is new",
        |w| w.circulares.insert(0, (13, 25, "Instruye sobre renta.")),
        &["circulares nuevo"],
    ),
    Step {
        what: "a link to the inside",
        change: |w| {
            w.noticias.insert(
                0,
                ("Aviso importante del Servicio", "http://10.0.0.8/x.htm"),
            )
        },
        items: &["noticias nuevo"],
        errors: &["noticias private_address"],
    },
    step(
        "a deadline is another",
        |w| w.deadline = "31 de diciembre de 2026",
        &["normativa modificado"],
    ),
    step("a block has moved", |w| w.moved = true, &[]),
    step("another charset", |w| w.circulares_utf8 = true, &[]),
    step("noise only", |_| {}, &[]),
];

#[tokio::test]
async fn thirty_visits_no_false_item_and_none_missed() {
    let site = Site::start().await;
    let mut world = World {
        site: site.clone(),
        circulares: vec![
            (11, 10, "Imparte instrucciones sobre el año tributario."),
            (10, 3, "Renta."),
        ],
        resoluciones: vec![
            (201, 12, "Fija procedimeinto de timbraje."),
            (200, 11, "Nombra funcionarios."),
            (199, 10, "Autoriza impresoras."),
            (198, 9, "Modifica plazo."),
        ],
        noticias: vec![
            ("Operación Renta comienza", "/n/1.htm"),
            ("Nueva oficina virtual", "/n/2.htm"),
        ],
        tables: false,
        circulares_utf8: false,
        redesigned: false,
        utm: "$69.611",
        deadline: "30 de noviembre de 2026",
        moved: false,
        manual: 8,
    };
    let (clock, told) = (clock(), Told::default());
    let store = store(&clock);
    let fetcher = Arc::new(HttpFetcher::try_new(quick()).unwrap());
    let monitor = monitor(sources(&site), store, fetcher, &clock, &told);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut wrong = Vec::new();
    println!(
        "{:>3} {:24} {:28} reported",
        "n", "what changed", "expected"
    );
    for (n, step) in SCRIPT.iter().enumerate() {
        world.publish();
        (step.change)(&mut world);
        if step.errors.is_empty() || !step.items.is_empty() {
            world.publish();
        }
        let report = monitor.run(true).await.unwrap();
        let all = monitor.archive().news(&all()).await.unwrap().items;
        let new: Vec<Item> = all
            .into_iter()
            .filter(|item| known.insert(item.id.clone()))
            .collect();
        let mut said: Vec<String> = new
            .iter()
            .map(|item| format!("{} {:?}", item.fuente, item.evento).to_lowercase())
            .collect();
        said.extend(report.errors.iter().map(|error| {
            let mut parts = error.split(": ");
            let page = parts.next().unwrap();
            let name = parts.find(|part| !part.starts_with("http")).unwrap();
            format!("{page} {name}")
        }));
        let expected: Vec<&str> = step.items.iter().chain(step.errors).copied().collect();
        println!(
            "{n:>3} {:24} {:28} {}",
            step.what,
            expected.join(", "),
            said.join(", ")
        );
        if said != expected {
            wrong.push(format!("{n} {}: {said:?}, {:#?}", step.what, new));
        }
        clock.advance(Duration::from_secs(6 * 3_600));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        site.seen()
            .iter()
            .any(|seen| seen.path == "/utm.htm" && seen.status == 304)
    );
    let circular = monitor
        .archive()
        .item("circular-12-2026")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(circular.vigencia.unwrap().to_string(), "2026-12-12");
    let mut notices = told.notices.lock().unwrap().clone();
    notices.sort();
    let items: Vec<String> = known.into_iter().collect();
    assert_eq!(notices, items, "each item is told once");
    assert_eq!(told.passages.lock().unwrap().len(), items.len());
    let status = monitor.status().await.unwrap();
    assert_eq!(status.sources.len(), 6);
    assert!(status.error_rate > 0.0 && status.error_rate < 0.1);
}

fn all() -> NewsQuery {
    NewsQuery {
        limit: Some(100),
        ..NewsQuery::default()
    }
}

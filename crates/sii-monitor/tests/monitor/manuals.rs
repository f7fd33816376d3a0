//! Two editions of the official manual as one source.

use std::path::Path;
use std::sync::Arc;

use sii_monitor::archive::NewsQuery;
use sii_monitor::fetch::{FetchConfig, HttpFetcher};
use sii_monitor::source::{Kind, Source};

use crate::fetching::quick;
use crate::rig::{Told, clock, monitor, store};
use crate::site::{Answer, Site};

/// What the later edition's own log of changes says, since the earlier one: some words of each.
const REAL: [(&str, &str); 15] = [
    ("2017: kind of sale", "TpoTranVenta"),
    ("2017: kind of purchase", "TpoTranCompra"),
    ("2018: special invoice", "TipoFactEsp"),
    ("2018: the tourist's document", "TipoDocID"),
    ("2018: the return of VAT", "devolución de IVA"),
    ("2019: code 820", "820"),
    ("2019: service used abroad", "extranjero"),
    ("2021: codes 821 to 823", "nuevos documentos de referencia"),
    ("2022: where it is issued", "LatitudEmision"),
    ("2022: who made the software", "RutProvSW"),
    ("2022: wood", "MADERA"),
    ("2023: plan of Conaf", "CodPlanConaf"),
    ("2023: reference 48", "48"),
    ("2026: trailer's plate", "Patente de Carro"),
    ("2026: kind of transfer 7", "Devolución de Mercaderías"),
];

#[tokio::test]
async fn two_editions_of_the_manual_are_told_apart_by_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/manuals");
    let read = |name: &str| std::fs::read(folder.join(name));
    let (Ok(old), Ok(new)) = (
        read("formato_dte_2014-09.pdf"),
        read("formato_dte_2026-02.pdf"),
    ) else {
        return;
    };
    let site = Site::start().await;
    let (clock, told) = (clock(), Told::default());
    let config = FetchConfig {
        max_bytes: 16 << 20,
        whole: FetchConfig::default().whole,
        ..quick()
    };
    let fetcher = Arc::new(HttpFetcher::try_new(config).unwrap());
    let source = Source::new("formato", &site.url("/formato.pdf"), Kind::Pdf);
    let monitor = monitor(vec![source], store(&clock), fetcher, &clock, &told);
    for edition in [old, new] {
        site.set(
            "/formato.pdf",
            Answer::Page("application/pdf", edition, None),
        );
        let report = monitor.run(true).await.unwrap();
        assert_eq!(report.errors, [""; 0]);
    }
    let page = monitor.archive().news(&NewsQuery::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let item = &page.items[0];
    println!("{}\n", item.resumen);
    for line in &item.cambios_tecnicos {
        println!("- {line}");
    }
    let named = item.cambios_tecnicos.join("\n");
    let found: Vec<_> = REAL
        .iter()
        .filter(|(_, words)| named.contains(words))
        .collect();
    println!("{} of {} real changes named", found.len(), REAL.len());
    for (what, words) in REAL {
        println!(
            "{} {what}",
            if named.contains(words) { "yes" } else { "NO " }
        );
    }
    assert!(found.len() >= 10);
    assert!(
        named.contains("Sección nueva «J.- FIRMA DIGITAL"),
        "{named}"
    );
    assert!(named.contains("Sección «A.- ENCABEZADO»: "), "{named}");
    assert!(
        item.resumen
            .starts_with("Secciones: 3 nuevas, 2 eliminadas")
    );
    let diff = monitor
        .archive()
        .diff("formato", 1, 2)
        .await
        .unwrap()
        .unwrap();
    assert!(diff.contains("+2026-02"), "the title page has its date");
}

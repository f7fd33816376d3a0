//! Changes while others search: single documents, a folder, its watch.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use jiff::civil::date;
use knowledge_base::{
    Config, Document, DocumentError, KnowledgeBase, KnowledgeError, LoadErrorKind, Query,
};

fn ids(base: &KnowledgeBase, question: &str) -> Vec<String> {
    let query = Query::new(question).top_k(100).per_document(1);
    let hits = base.search(&query);
    hits.into_iter().map(|hit| hit.document_id).collect()
}

fn many(count: usize) -> KnowledgeBase {
    let documents = (0..count).map(|number| {
        let text = format!("Texto sobre la palabra número{number} y el folio.");
        Document::new(format!("d{number}"), format!("Título {number}"), text)
    });
    KnowledgeBase::from_documents(documents, Config::default()).unwrap()
}

#[tokio::test]
async fn documents_come_change_and_go() {
    let base = many(50);
    let mut generation = base.generation();
    base.upsert(Document::new("nuevo", "Patentes", "La guía lleva patente."))
        .await
        .unwrap();
    assert!(generation.has_changed().unwrap());
    assert_eq!(*generation.borrow_and_update(), 1);
    assert_eq!(ids(&base, "patente"), ["nuevo"]);
    // The same id: the text before is gone.
    base.upsert(Document::new(
        "nuevo",
        "Choferes",
        "La guía dice quién conduce.",
    ))
    .await
    .unwrap();
    assert!(ids(&base, "patente").is_empty());
    assert_eq!(ids(&base, "chofer"), ["nuevo"]);
    // One of the large index replaced, and brought back.
    base.upsert(Document::new("d7", "Nada", "Ya no está."))
        .await
        .unwrap();
    assert!(!ids(&base, "número7").contains(&"d7".to_owned()));
    assert!(base.remove("nuevo").await.unwrap());
    assert!(!base.remove("nuevo").await.unwrap(), "already gone");
    assert!(base.remove("d8").await.unwrap());
    assert!(ids(&base, "chofer").is_empty() && !ids(&base, "número8").contains(&"d8".to_owned()));
    assert_eq!(base.stats().documents, 49);
}

#[tokio::test]
async fn a_superseded_document_is_left_out_after_its_last_day() {
    let base = many(3);
    let news = Document::new("res", "Resolución de patentes", "Patente en la guía.");
    base.upsert(news.valid(Some(date(2026, 5, 1)), None))
        .await
        .unwrap();
    assert!(base.supersede("res", date(2026, 8, 31)).await.unwrap());
    let on = |day| base.search(&Query::new("patente").today(day)).len();
    assert_eq!((on(date(2026, 8, 31)), on(date(2026, 9, 1))), (1, 0));
    assert_eq!(
        base.search(&Query::new("patente"))[0].valid_to,
        Some(date(2026, 8, 31))
    );
    assert!(!base.supersede("none", date(2026, 8, 31)).await.unwrap());
    let error = base.supersede("res", date(2026, 4, 1)).await.unwrap_err();
    assert!(
        matches!(error, KnowledgeError::Document(DocumentError::Validity)) && !error.retryable()
    );
}

#[tokio::test]
async fn many_changes_come_to_the_same_as_starting_with_them() {
    let changed = many(400);
    let mut documents = Vec::new();
    for number in 0..400 {
        let text = format!("Otra redacción, palabra{} y timbre.", number % 7);
        let document = Document::new(format!("d{number}"), format!("Título {number}"), text);
        changed.upsert(document.clone()).await.unwrap();
        documents.push(document);
    }
    let fresh = KnowledgeBase::from_documents(documents, Config::default()).unwrap();
    assert_eq!(changed.stats().documents, 400);
    assert_eq!(changed.stats().passages, fresh.stats().passages);
    for question in ["palabra3 timbre", "redacción", "número12", "título 7"] {
        let (mut found, mut expected) = (ids(&changed, question), ids(&fresh, question));
        if found.len() < 100 {
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{question}");
        }
    }
    let found = ids(&changed, "palabra3");
    // Those with the word, 400 by 7, come before those with words like it.
    let of_the_seven = |id: &String| id[1..].parse::<usize>().unwrap() % 7 == 3;
    assert!(found[..57].iter().all(of_the_seven), "{found:?}");
}

#[tokio::test]
async fn what_doesn_t_fit_changes_nothing() {
    let mut config = Config::default();
    config.max_documents = 2;
    let documents = ["a", "b"].map(|id| Document::new(id, "Folio", "Sobre el folio."));
    let base = KnowledgeBase::from_documents(documents.clone(), config.clone()).unwrap();
    let error = base
        .upsert(Document::new("c", "Folio", "Otro."))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            KnowledgeError::Capacity {
                what: "documents",
                count: 3,
                limit: 2
            }
        ),
        "{error}"
    );
    assert_eq!(ids(&base, "folio"), ["a", "b"]);
    base.upsert(Document::new("b", "Folio", "Cambiado, del folio."))
        .await
        .unwrap();
    assert!(matches!(base.reload().await, Err(KnowledgeError::NoFolder)));
    let twice = [documents[0].clone(), documents[0].clone()];
    let error = KnowledgeBase::from_documents(twice, config).unwrap_err();
    assert!(matches!(
        error,
        KnowledgeError::Document(DocumentError::Duplicate(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_sees_what_was_before_or_what_is_after() {
    // At any moment exactly one of the two is there.
    let base = many(300);
    base.upsert(Document::new("par", "Versión azul", "Patente azul."))
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (base, stop) = (base.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut searches = 0;
            while !stop.load(Ordering::Relaxed) {
                let hits = base.search(&Query::new("patente azul verde"));
                assert_eq!(hits[0].document_id, "par");
                assert_eq!(
                    hits.iter().filter(|hit| hit.document_id == "par").count(),
                    1
                );
                searches += 1;
            }
            searches
        })
    };
    for round in 0..100 {
        let colour = if round % 2 == 0 { "verde" } else { "azul" };
        let (title, text) = (format!("Versión {colour}"), format!("Patente {colour}."));
        base.upsert(Document::new("par", title, text))
            .await
            .unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
}

fn write(folder: &Path, name: &str, title: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let matter = format!("---\ntitle: {title}\nmodule: general\n---\n{text}\n");
    fs::write(&path, matter).unwrap();
}

/// Makes a file look as if it had been written long ago, so that its time tells a change.
fn age(folder: &Path, name: &str, seconds: u64) {
    let file = fs::File::options()
        .append(true)
        .open(folder.join(name))
        .unwrap();
    let then = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(then).unwrap();
}

#[tokio::test]
async fn a_folder_is_read_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.md", "Folios", "Sobre el folio.");
    write(root, "sub/b.md", "Timbres", "Sobre el timbre.");
    write(root, ".git/c.md", "Oculto", "Oculto.");
    fs::write(root.join("README.md"), "no front matter").unwrap();
    fs::write(root.join("notas.txt"), "x").unwrap();
    fs::write(root.join("sinonimos.txt"), "estampilla = timbre\n").unwrap();
    for name in ["a.md", "sub/b.md", "sinonimos.txt"] {
        age(root, name, 100);
    }
    let base = KnowledgeBase::open(root, Config::default()).await.unwrap();
    assert_eq!(base.stats().documents, 2);
    assert_eq!(ids(&base, "estampilla"), ["sub/b"]);
    let report = base.reload().await.unwrap();
    assert_eq!(
        (report.added, report.changed, report.removed, report.tables),
        (0, 0, 0, false)
    );

    // An empty folder changes nothing either, again and again.
    let empty = tempfile::tempdir().unwrap();
    let nothing = KnowledgeBase::open(empty.path(), Config::default())
        .await
        .unwrap();
    assert!(!nothing.reload().await.unwrap().tables);

    write(root, "a.md", "Folios", "Sobre la patente.");
    write(root, "d.md", "Guías", "Sobre guías.");
    fs::remove_file(root.join("sub/b.md")).unwrap();
    fs::write(root.join("sinonimos.txt"), "placa = patente\n").unwrap();
    base.upsert(Document::new("noticia", "Noticia", "De otra parte."))
        .await
        .unwrap();
    let report = base.reload().await.unwrap();
    assert_eq!(
        (report.added, report.changed, report.removed, report.tables),
        (1, 1, 1, true)
    );
    assert_eq!(ids(&base, "placa"), ["a"]);
    assert!(ids(&base, "estampilla").is_empty());
    // What didn't come from the folder stays.
    assert_eq!(ids(&base, "noticia"), ["noticia"]);
}

#[tokio::test]
async fn a_wrong_file_is_told_and_what_was_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.md", "Folios", "Sobre el folio.");
    let base = KnowledgeBase::open(root, Config::default()).await.unwrap();
    fs::write(root.join("a.md"), "---\ntitle: x\nmodulo: y\n---\nz").unwrap();
    fs::write(root.join("sinonimos.txt"), "caf = folio\nsola\n").unwrap();
    fs::write(root.join("latin.md"), b"---\ntitle: \xf1\n---\nx").unwrap();
    for _ in 0..2 {
        let report = base.reload().await.unwrap();
        let told: Vec<String> = report.errors.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("a.md:3"), "{told:?}");
        assert!(matches!(report.errors[1].kind(), LoadErrorKind::NotUtf8));
        assert!(told[2].contains("sinonimos.txt:2"), "{told:?}");
        assert_eq!(ids(&base, "folio"), ["a"]);
    }
    let error = KnowledgeBase::open(root, Config::default())
        .await
        .unwrap_err();
    assert!(matches!(&error, KnowledgeError::Load(errors) if errors.len() == 3));
    // A folder that can't be read doesn't empty what there is.
    fs::remove_dir_all(root).unwrap();
    let report = base.reload().await.unwrap();
    assert!(report.errors[0].retryable() && report.removed == 0);
    assert_eq!(ids(&base, "folio"), ["a"]);
}

#[tokio::test]
async fn a_watch_sees_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a.md", "Folios", "Sobre el folio.");
    let base = KnowledgeBase::open(root, Config::default()).await.unwrap();
    let mut generation = base.generation();
    generation.mark_unchanged();
    let watch = base.watch(Duration::from_millis(10));
    write(root, "b.md", "Patentes", "Sobre la patente.");
    tokio::time::timeout(Duration::from_secs(30), generation.changed())
        .await
        .expect("the change is seen")
        .unwrap();
    assert_eq!(ids(&base, "patente"), ["b"]);
    drop(watch);
}

//! Real documents through the running server, where they are (they are not ours to ship).

use std::path::Path;

use serde_json::json;

use crate::support::{Request, Service, base64};

#[tokio::test]
async fn every_real_document_gets_a_verdict_or_a_clear_refusal() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} isn't there", folder.display());
        return;
    };
    let service = Service::start().await;
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let body =
            json!({ "company_id": 1, "dte_xml_base64": base64(&bytes), "mode": "reception" });
        let reply = service.send(Request::validate(&body)).await;
        let name = path.file_name().unwrap().to_string_lossy();
        let answer = reply.json();
        match reply.status.as_u16() {
            200 => {
                let errors = answer["errors"].as_array().unwrap().len();
                println!(
                    "{name}\t{}\t{errors}",
                    answer["recommendation"].as_str().unwrap()
                );
            }
            422 => println!("{name}\t422\t{}", answer["detail"].as_str().unwrap()),
            status => panic!("{name}: {status} {answer}"),
        }
        // As text it is read as well, but its stamp and signatures can't be verified; what isn't
        // UTF-8 can't stand in JSON.
        if let Ok(text) = String::from_utf8(bytes) {
            let body = json!({ "company_id": 1, "dte_xml": text, "mode": "reception" });
            let as_text = service.send(Request::validate(&body)).await;
            assert_eq!(as_text.status, reply.status, "{name}");
        }
    }
    assert!(paths.len() > 100, "{} documents", paths.len());
}

//! Counting, over a store in memory that two replicas share.

use matching::projects::suggest_project;
use store::{EmbeddedConfig, EmbeddedStore, SystemClock};

use super::*;
use crate::auth::Caller;
use crate::keyring::ApiKey;

fn store() -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock).unwrap())
}

fn caller() -> Caller {
    Caller::of(&ApiKey::new("erp", "0123456789abcdef0123456789abcdef"))
}

fn company(number: u64) -> Tenant {
    caller().tenant(number).unwrap()
}

fn suggestion() -> Suggestion {
    let query = r#"{"partner_vat": "76192083-9", "available_projects": [{"id": 3, "name": "Obra"}],
        "invoice_lines": [{"description": "Cemento", "quantity": 1, "price": 1}]}"#;
    suggest_project(&matching::read_project_query(query).unwrap())
}

#[tokio::test]
async fn what_two_replicas_count_at_once_is_all_there_for_the_company_and_its_key() {
    let store = store();
    let replicas = [0, 1].map(|_| Suggestions::new(Arc::clone(&store)));
    let suggestion = suggestion();
    for replica in &replicas {
        for number in 0..30 {
            replica.count(&company(1 + number % 2), &suggestion);
        }
    }
    let (one, other) = tokio::join!(replicas[0].flush(), replicas[1].flush());
    one.and(other).unwrap();
    let total = async |tenant: &Tenant| {
        let (stats, old) = replicas[0].of(tenant).await.unwrap();
        assert!(!old);
        stats.total_suggestions()
    };
    assert_eq!(total(&company(1)).await, 30);
    assert_eq!(total(&company(2)).await, 30);
    assert_eq!(total(&company(3)).await, 0);
    assert_eq!(total(&caller().own_tenant()).await, 60);
}

#[tokio::test]
async fn what_waits_is_written_without_anybody_asking_for_it() {
    let store = store();
    let (here, elsewhere) = (
        Suggestions::new(Arc::clone(&store)),
        Suggestions::new(store),
    );
    here.count(&company(1), &suggestion());
    let written = async {
        while elsewhere
            .of(&company(1))
            .await
            .unwrap()
            .0
            .total_suggestions()
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written)
        .await
        .unwrap();
    assert!(here.state().waiting.is_empty());
}

#[tokio::test]
async fn who_counts_reads_it_at_once() {
    let here = Suggestions::new(store());
    here.count(&company(1), &suggestion());
    let (stats, _) = here.of(&company(1)).await.unwrap();
    assert_eq!(stats.total_suggestions(), 1);
}

#[tokio::test]
async fn a_suggestion_for_the_key_itself_counts_once() {
    let here = Suggestions::new(store());
    let own = caller().own_tenant();
    here.count(&own, &suggestion());
    let (stats, _) = here.of(&own).await.unwrap();
    assert_eq!(stats.total_suggestions(), 1);
}

#[test]
fn ever_new_companies_take_no_memory() {
    let mut state = State::default();
    for number in 1..=u64::try_from(MOST).unwrap() + 50 {
        state.wait(company(number), Stats::default());
        state.know(&company(number), &Stats::default());
    }
    assert_eq!((state.waiting.len(), state.known.len()), (MOST, MOST));
}

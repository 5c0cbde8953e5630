//! A small version of the attack that `examples/guessing_attack` measures: what must hold of it on any machine.

#[path = "../examples/guessing_attack/attack.rs"]
mod attack;
#[path = "../examples/guessing_attack/connection.rs"]
mod connection;
#[path = "../examples/guessing_attack/site.rs"]
mod site;
#[path = "../examples/guessing_attack/users.rs"]
mod users;

use std::net::SocketAddr;
use std::time::Duration;

use attack::Attack;
use site::{COOKIE_NAME, Site};
use users::Users;

const SERVED_OF_EACH: usize = 10;
const AN_HOUR: Duration = Duration::from_hours(1);
/// As fast as they are answered.
const NO_RATE: usize = usize::MAX;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_guesses_reach_no_store_hold_up_no_user_and_flood_no_log() {
    let site = Site::new().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = site.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let many = Attack {
        guesses: 50_000,
        addresses: 50_000,
    };
    let often = Attack {
        guesses: 50_000,
        addresses: 2_000,
    };
    let mut users = Users::sign_in(address, often.address_of_a_guesser())
        .await
        .unwrap();
    assert!(users.cookie.starts_with(COOKIE_NAME));
    let mut served = 0;
    for attack in [often, many] {
        let mut guessers = attack.begin(address, &users.cookie).await.unwrap();
        let outcomes = guessers.guess_for(AN_HOUR, NO_RATE).await.unwrap();
        users.measure_for(Duration::from_millis(20)).await.unwrap();
        assert_eq!(outcomes.total(), attack.guesses);
        served += outcomes.served;
        if attack.addresses == often.addresses {
            let within = often.addresses * SERVED_OF_EACH;
            // What comes back of the budgets while it takes, and addresses that share all their cells.
            assert!(outcomes.served >= within * 99 / 100, "{outcomes:?}");
            assert!(outcomes.served <= within * 2, "{outcomes:?}");
        }
    }
    assert_eq!(users.refused, 0);
    assert!(!users.forget_times().is_empty());
    let seen = site.seen();
    assert_eq!(seen.store_calls, users.requests);
    // One for each guess that was served, one for each address that spent its budget, twice if it takes more than a
    // minute, and one for the user's session.
    let most = served + 2 * often.addresses + 1;
    assert!(
        seen.events <= most as u64,
        "{} events, {served} served",
        seen.events
    );
}

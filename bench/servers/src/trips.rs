//! How many round trips a request takes, counted between the application and its database.

use measure::Visitor;

use crate::contender::Contender;
use crate::counting_proxy::CountingProxy;
use crate::database::Databases;
use crate::serve;

/// Round trips a request, of one visitor whose session is warm.
#[derive(Clone, Copy, Debug)]
pub struct Trips {
    pub read: f64,
    pub write: f64,
}

const REQUESTS: u32 = 50;

pub fn of(contender: &Contender, databases: &Databases) -> anyhow::Result<Trips> {
    let url = databases.url_for(contender);
    let proxy = CountingProxy::before(databases.port_of(contender.database))?;
    let url = url.replace(
        &format!(":{}", databases.port_of(contender.database)),
        &format!(":{}", proxy.port()),
    );
    let served = serve(contender, &url)?;
    let mut visitor = Visitor::default();
    let mut trips_of = |path: &str| {
        // What is done once, such as preparing a statement, is done by then.
        for _ in 0..20 {
            visitor.get(served.address(), path)?;
        }
        let before = proxy.trips();
        for _ in 0..REQUESTS {
            let answer = visitor.get(served.address(), path)?;
            anyhow::ensure!(
                answer.status == 200,
                "{}, {path}: {} {}",
                contender.name,
                answer.status,
                answer.body
            );
        }
        Ok((proxy.trips() - before) as f64 / f64::from(REQUESTS))
    };
    let write = trips_of("/write")?;
    let read = trips_of("/read")?;
    Ok(Trips { read, write })
}

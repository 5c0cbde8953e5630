//! A connection that stands, to a server or to a cluster.

use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};

use crate::failure::{Cause, Failure};
use crate::request::{Place, Request};
use crate::wait::WaitForReplicas;

/// A connection that stands. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// The answer to a request, once the replicas have it if they are to be waited for.
    ///
    /// What nearly no request comes to is in a box of its own: every request makes room for all that is not, and allocators
    /// take much longer over room of more than a kilobyte.
    pub(crate) async fn send(
        &self,
        request: &Request,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        let command = request.short();
        match self.send_command(&command, &request.place, wait).await {
            Ok(answer) => Ok(answer),
            Err(failure) => Box::pin(self.send_otherwise(request, wait, failure)).await,
        }
    }

    /// What the server refused as it was sent, as it asks for it.
    async fn send_otherwise(
        &self,
        request: &Request,
        wait: Option<WaitForReplicas>,
        failure: Failure,
    ) -> Result<Value, Failure> {
        match failure.cause {
            Cause::NoScript => self.send_command(&request.whole(), &request.place, wait).await,
            Cause::Ask { host, port } => self.send_asking(request, host, port, wait).await,
            _ => Err(failure),
        }
    }

    async fn send_command(
        &self,
        command: &Cmd,
        place: &Place,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        let Some(wait) = wait else {
            return answer(self.send_alone(command, place).await);
        };
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command.clone());
        Box::pin(self.send_together(pipeline, 0, Some(wait), node_of(place))).await
    }

    /// To the node that takes the slot over. It may not know the script yet.
    async fn send_asking(
        &self,
        request: &Request,
        host: String,
        port: u16,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        let mut pipeline = Pipeline::new();
        pipeline
            .add_command(cmd("ASKING"))
            .add_command(request.whole().into_owned());
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        self.send_together(pipeline, 1, wait, node).await
    }

    async fn send_alone(&self, command: &Cmd, place: &Place) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.clone().send_packed_command(command).await,
            Self::Cluster(cluster) => {
                let route = RoutingInfo::SingleNode(node_of(place));
                Box::pin(cluster.clone().route_command(command.clone(), route)).await
            }
        }
    }

    /// The answer to the command at `asked`. What belongs together arrives together: nobody else's command comes
    /// between, and WAIT is about the last write on its connection.
    async fn send_together(
        &self,
        mut pipeline: Pipeline,
        asked: usize,
        wait: Option<WaitForReplicas>,
        route: SingleNodeRoutingInfo,
    ) -> Result<Value, Failure> {
        if let Some(wait) = wait {
            pipeline.add_command(wait.command());
        }
        let answers = asked + 1 + usize::from(wait.is_some());
        let answered = match self {
            Self::Server(server) => {
                let mut server = server.clone();
                server.send_packed_commands(&pipeline, 0, answers).await
            }
            Self::Cluster(cluster) => {
                let mut cluster = cluster.clone();
                cluster.route_pipeline(pipeline, 0, answers, route).await
            }
        };
        let answered = answered.map_err(|error| Failure::of_command(&error))?;
        let mut answered = answered.into_iter().skip(asked);
        let asked_for = answer(answered.next().ok_or_else(no_answer))?;
        if let Some(wait) = wait {
            wait.check(answer(answered.next().ok_or_else(no_answer))?)?;
        }
        Ok(asked_for)
    }
}

/// Never to a replica: what it has may be old, and a session that was ended may still be there.
fn node_of(place: &Place) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(match place {
        Place::Key(key) => Route::with_key(key, SlotAddr::Master),
        Place::Slot(slot) => Route::new(*slot, SlotAddr::Master),
    })
}

fn answer(answered: RedisResult<Value>) -> Result<Value, Failure> {
    match answered {
        Ok(Value::ServerError(error)) => Err(Failure::of_server(error)),
        Ok(value) => Ok(value),
        Err(error) => Err(Failure::of_command(&error)),
    }
}

fn no_answer() -> redis::RedisError {
    (redis::ErrorKind::Parse, "an answer is missing").into()
}

//! A connection that stands, to a server or to a cluster.

use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};

use crate::failure::{Cause, Failure};
use crate::request::Request;
use crate::wait::WaitForReplicas;

/// A connection that stands. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// The answer to a request, once the replicas have it if they are to be waited for.
    pub(crate) async fn send(
        &self,
        request: &Request,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        match self.send_command(request.short(), &request.key, wait).await {
            Err(Failure {
                cause: Cause::NoScript,
                ..
            }) => self.send_command(request.whole(), &request.key, wait).await,
            Err(Failure {
                cause: Cause::Ask { host, port },
                ..
            }) => self.send_asking(request, host, port).await,
            answered => answered,
        }
    }

    async fn send_command(
        &self,
        command: Cmd,
        key: &str,
        wait: Option<WaitForReplicas>,
    ) -> Result<Value, Failure> {
        let Some(wait) = wait else {
            return answer(self.send_alone(command, key).await);
        };
        // Right behind the write and on its connection, whose last write is what WAIT waits for.
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command).add_command(wait.command());
        let mut answers = self.send_together(pipeline, 2, by_key(key)).await?.into_iter();
        let answered = answer(answers.next().ok_or_else(no_answer))?;
        wait.check(answer(answers.next().ok_or_else(no_answer))?)?;
        Ok(answered)
    }

    async fn send_alone(&self, command: Cmd, key: &str) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.clone().send_packed_command(&command).await,
            Self::Cluster(cluster) => {
                let route = RoutingInfo::SingleNode(by_key(key));
                cluster.clone().route_command(command, route).await
            }
        }
    }

    /// What belongs together arrives together: nobody else's command comes between.
    async fn send_together(
        &self,
        pipeline: Pipeline,
        answers: usize,
        route: SingleNodeRoutingInfo,
    ) -> Result<Vec<Value>, Failure> {
        let answered = match self {
            Self::Server(server) => server.clone().send_packed_commands(&pipeline, 0, answers).await,
            Self::Cluster(cluster) => cluster.clone().route_pipeline(pipeline, 0, answers, route).await,
        };
        answered.map_err(|error| Failure::of_command(&error))
    }

    /// To the node that takes the slot over. It may not know the script yet.
    async fn send_asking(&self, request: &Request, host: String, port: u16) -> Result<Value, Failure> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(cmd("ASKING")).add_command(request.whole());
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        let answers = self.send_together(pipeline, 2, node).await?;
        answer(answers.into_iter().nth(1).ok_or_else(no_answer))
    }
}

/// Never to a replica: what it has may be old, and a session that was ended may still be there.
fn by_key(key: &str) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
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

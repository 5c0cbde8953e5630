//! A service and the browser that it serves.

use std::time::{Duration, Instant};

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::COOKIE;
use actix_web::rt::{System, SystemRunner};
use actix_web::test::{TestRequest, init_service};
use allocation_counter::AllocationInfo;
use measure::{Subject, Work};

struct ActixSubject<S> {
    system: SystemRunner,
    service: S,
    browser: Browser,
}

struct Browser {
    path: &'static str,
    cookie: String,
}

/// With a session that holds the row's payload, and its cookie in the browser.
pub fn begun<T, B>(app: App<T>, work: Work) -> Box<dyn Subject>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let system = System::new();
    let service = system.block_on(init_service(app));
    let mut subject = ActixSubject {
        system,
        service,
        browser: Browser {
            path: work.payload.fill_path(),
            // The bare application is sent a cookie as well.
            cookie: "other=1".to_owned(),
        },
    };
    // The first request begins the session; the second one finds it.
    subject.serve(2);
    subject.browser.path = work.task.path();
    Box::new(subject)
}

impl<S, B> Subject for ActixSubject<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    fn serve(&mut self, requests: u32) -> Duration {
        let Self {
            system,
            service,
            browser,
        } = self;
        system.block_on(async {
            let mut took = Duration::ZERO;
            for _ in 0..requests {
                let request = browser.request();
                let start = Instant::now();
                let response = service.call(request).await;
                took += start.elapsed();
                browser.keep(&response.expect("the site answers"));
            }
            took
        })
    }

    fn allocations(&mut self) -> AllocationInfo {
        let request = self.browser.request();
        let mut response = None;
        let counted = allocation_counter::measure(|| {
            response = Some(self.system.block_on(self.service.call(request)));
        });
        if let Some(Ok(response)) = &response {
            self.browser.keep(response);
        }
        counted
    }
}

impl Browser {
    fn request(&self) -> actix_http::Request {
        let request = TestRequest::get().uri(self.path);
        request.insert_header((COOKIE, self.cookie.as_str())).to_request()
    }

    /// Checks that it was served, and keeps a new cookie.
    fn keep<B>(&mut self, response: &ServiceResponse<B>) {
        assert_eq!(response.status(), 200, "{}", self.path);
        if let Some(cookie) = response.response().cookies().next() {
            self.cookie = Cookie::new(cookie.name(), cookie.value()).to_string();
        }
    }
}

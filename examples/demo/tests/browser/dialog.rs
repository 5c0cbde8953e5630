//! What the dialog about the session's time shows, as people and assistive technology perceive it.

use std::time::Duration;

use fantoccini::Client;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::page::FOCUS;

const ROOT: &str = "document.querySelector('tenure-session-timeout').shadowRoot";

/// The dialog of `<tenure-session-timeout>`.
pub(crate) trait SessionDialog {
    async fn come_back(&self);
    async fn dialog_text(&self) -> Option<String>;
    async fn dialog_says(&self, text: &str);
    async fn has_no_dialog(&self);
    async fn in_dialog(&self, selector: &str) -> Element;
    async fn press_in_dialog(&self, selector: &str);
    async fn focused_in_dialog(&self) -> String;
    async fn perceived(&self, element: &Element) -> (String, String);
    async fn sees_of_page(&self) -> String;
    async fn page_shows(&self, text: &str);
}

impl SessionDialog for Client {
    /// As when somebody comes back to the tab, whose page then asks how its session stands.
    async fn come_back(&self) {
        self.execute(FOCUS, vec![]).await.unwrap();
    }

    async fn dialog_text(&self) -> Option<String> {
        let script = format!(
            "const dialog = {ROOT}.querySelector('dialog'); return dialog.open ? dialog.innerText : null"
        );
        let text = self.execute(&script, vec![]).await.unwrap();
        text.as_str().map(str::to_owned)
    }

    async fn dialog_says(&self, text: &str) {
        for _ in 0..300 {
            // While a page is left for another there may be none to ask.
            let script = format!(
                "const dialog = document.querySelector('tenure-session-timeout')?.shadowRoot?.querySelector('dialog'); \
                 return !!dialog?.open && dialog.innerText.includes({text:?})"
            );
            if self.execute(&script, vec![]).await.is_ok_and(|says| says == true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "expected {text:?}, but the dialog says {:?}",
            self.dialog_text().await
        );
    }

    async fn has_no_dialog(&self) {
        for _ in 0..300 {
            if self.dialog_text().await.is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the dialog is still there: {:?}", self.dialog_text().await);
    }

    async fn in_dialog(&self, selector: &str) -> Element {
        let script = format!("return {ROOT}.querySelector('dialog').parentNode.querySelector({selector:?})");
        let found = self.execute(&script, vec![]).await.unwrap();
        let id = found.as_object().and_then(|reference| reference.values().next());
        let id = id
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{selector} is not in the dialog"));
        Element::from_element_id(self.clone(), id.to_owned().into())
    }

    async fn press_in_dialog(&self, selector: &str) {
        self.in_dialog(selector).await.click().await.unwrap();
    }

    async fn focused_in_dialog(&self) -> String {
        let script = format!("return {ROOT}.activeElement?.innerText ?? ''");
        let text = self.execute(&script, vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Role and name, as the browser tells assistive technology.
    async fn perceived(&self, element: &Element) -> (String, String) {
        let property = |property| Computed {
            element: element.element_id().to_string(),
            property,
        };
        let role = self.issue_cmd(property("computedrole")).await.unwrap();
        let label = self.issue_cmd(property("computedlabel")).await.unwrap();
        let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
        (text(role), text(label))
    }

    /// The page's text, without what is hidden.
    async fn sees_of_page(&self) -> String {
        let text = self.execute("return document.body.innerText", vec![]).await;
        text.unwrap().as_str().unwrap_or_default().trim().to_owned()
    }

    async fn page_shows(&self, text: &str) {
        for _ in 0..200 {
            if self.sees_of_page().await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "expected {text:?}, but the page shows {:?}",
            self.sees_of_page().await
        );
    }
}

/// A property of an element as it is computed for assistive technology (`WebDriver`, section 12.4).
#[derive(Debug)]
struct Computed {
    element: String,
    property: &'static str,
}

impl WebDriverCompatibleCommand for Computed {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        let (session, element, property) = (session.unwrap_or_default(), &self.element, self.property);
        base.join(&format!("session/{session}/element/{element}/{property}"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::GET, None)
    }
}

//! What people do on a page, and what they see of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::cookies::Cookie;
use fantoccini::{Client, Locator};

use crate::common::Server;

/// What a page is told when somebody comes back to it.
pub(crate) const FOCUS: &str = "window.dispatchEvent(new Event('focus'))";

/// What these tests do again and again.
pub(crate) trait Page {
    async fn open(&self, server: &Server, path: &str);
    async fn sees(&self, text: &str);
    async fn press(&self, button: &str);
    async fn fill(&self, field: &str, text: &str);
    async fn credentials(&self, name: &str);
    async fn is_at(&self, path_and_query: &str);
    async fn keys(&self, keys: &[char]);
    async fn count(&self) -> String;
    async fn cookie(&self) -> Cookie<'static>;
    async fn picture(&self, name: &str);
    async fn whole_picture(&self, name: &str);
}

impl Page for Client {
    async fn open(&self, server: &Server, path: &str) {
        self.goto(&format!("{}{path}", server.url)).await.unwrap();
    }

    async fn sees(&self, text: &str) {
        let anything = format!("//main//*[contains(normalize-space(.), {text:?})]");
        self.wait()
            .for_element(Locator::XPath(&anything))
            .await
            .unwrap_or_else(|error| panic!("{text:?} is not on the page: {error}"));
    }

    async fn press(&self, button: &str) {
        self.wait()
            .for_element(Locator::Css(button))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    async fn fill(&self, field: &str, text: &str) {
        let field = self.wait().for_element(Locator::Id(field)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn credentials(&self, name: &str) {
        self.fill("name", name).await;
        self.fill("password", "analytical engine").await;
    }

    async fn is_at(&self, path_and_query: &str) {
        for _ in 0..100 {
            let url = self.current_url().await.unwrap();
            if url.as_str().ends_with(path_and_query) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "expected {path_and_query}, but the browser is at {}",
            self.current_url().await.unwrap()
        );
    }

    /// Presses keys one after the other, wherever the focus is.
    async fn keys(&self, keys: &[char]) {
        let pressed = keys
            .iter()
            .fold(KeyActions::new("keyboard".to_owned()), |actions, &value| {
                actions
                    .then(KeyAction::Down { value })
                    .then(KeyAction::Up { value })
            });
        self.perform_actions(pressed).await.unwrap();
    }

    async fn count(&self) -> String {
        self.find(Locator::Id("count"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    async fn cookie(&self) -> Cookie<'static> {
        self.get_named_cookie("__Host-session").await.unwrap()
    }

    async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let png = self.screenshot().await.unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// The page from top to bottom, in a window that is as high as it.
    async fn whole_picture(&self, name: &str) {
        let height = self
            .execute("return document.documentElement.scrollHeight", vec![])
            .await
            .unwrap();
        let (_, _, width, _) = self.get_window_rect().await.unwrap();
        let height = u32::try_from(height.as_u64().unwrap()).unwrap();
        self.set_window_size(u32::try_from(width).unwrap(), height + 160)
            .await
            .unwrap();
        // Until the bars have slid to where they belong.
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.picture(name).await;
    }
}

//! The accounts: names, passwords, and the table that they are kept in.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use axum::http::StatusCode;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The accounts of the application. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    pool: SqlitePool,
    /// Argon2id takes 19 MiB and a whole core each time: more at once than there are cores would
    /// only let strangers use up the memory.
    hashing: Arc<Semaphore>,
    /// What the password is compared with where there is no account.
    stand_in: Arc<str>,
}

/// The name of an account: 3 to 32 characters of a-z, 0-9, _ and -. It never changes, so it is the
/// owner of the account's sessions too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why somebody could not sign up or in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The name is none.
    #[error("A name has 3 to 32 characters: letters a to z, digits, _ and -.")]
    InvalidName,
    /// The password is too short, or absurdly long.
    #[error("A password has at least 8 characters, and at most 256.")]
    InvalidPassword,
    /// Somebody else has the name.
    #[error("That name is taken. Please choose another one.")]
    NameTaken,
    /// Either there is no such account or the password is another: which, nobody is told.
    #[error("Name or password is wrong.")]
    WrongCredentials,
    /// The database failed.
    #[error("the users table could not be read or written")]
    Database(#[from] sqlx::Error),
    /// A password could not be hashed, or a kept hash is none.
    #[error("the password could not be hashed or compared: {0}")]
    Hashing(argon2::password_hash::Error),
    /// The thread that hashes is gone.
    #[error("the password was not hashed, for the application is ending")]
    Ending,
}

impl Users {
    /// Opens the database at `path`, and makes it and its table if they are not there.
    ///
    /// # Errors
    /// If the file can't be opened or is no database.
    pub async fn open(path: &Path) -> Result<Self, AccountError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePool::connect_with(options).await?;
        sqlx::raw_sql(include_str!("../migrations/0001_users.sql"))
            .execute(&pool)
            .await?;
        let cores = available_parallelism().map_or(1, usize::from);
        let stand_in = spawn_blocking(|| hash("nobody's"))
            .await
            .map_err(|_| AccountError::Ending)??;
        Ok(Self {
            pool,
            hashing: Arc::new(Semaphore::new(cores)),
            stand_in: stand_in.into(),
        })
    }

    /// Makes an account.
    ///
    /// # Errors
    /// If the name or the password breaks its rule, or the name is taken.
    pub async fn sign_up(&self, name: &str, password: &str) -> Result<Name, AccountError> {
        let name = Name::new(name)?;
        let password_hash = self.hash_of_new(password).await?;
        sqlx::query("INSERT INTO users (name, password_hash, created_at) VALUES (?, ?, unixepoch())")
            .bind(name.as_str())
            .bind(password_hash)
            .execute(&self.pool)
            .await
            .map_err(name_taken)?;
        Ok(name)
    }

    /// Gives the account another password.
    ///
    /// # Errors
    /// If the password breaks its rule.
    pub async fn change_password(&self, name: &Name, password: &str) -> Result<(), AccountError> {
        let password_hash = self.hash_of_new(password).await?;
        sqlx::query("UPDATE users SET password_hash = ? WHERE name = ?")
            .bind(password_hash)
            .bind(name.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The account that has this name and password.
    ///
    /// # Errors
    /// If there is none.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<Name, AccountError> {
        // A name that nobody can have takes the same way, so that all wrong answers look alike.
        let name = Name::new(name).unwrap_or_else(|_| Name(String::new()));
        let kept: Option<String> = sqlx::query_scalar("SELECT password_hash FROM users WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let is_account = kept.is_some();
        // The same work whether or not there is an account, so that the time taken does not tell.
        let compared_with = kept.unwrap_or_else(|| self.stand_in.to_string());
        let password = password.to_owned();
        let is_password = self
            .with_a_core(move || is_password_of(&password, &compared_with))
            .await?;
        if is_account && is_password {
            Ok(name)
        } else {
            Err(AccountError::WrongCredentials)
        }
    }

    /// Closes the database, which writes all that is in the write-ahead log to the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn hash_of_new(&self, password: &str) -> Result<String, AccountError> {
        if !(8..=256).contains(&password.chars().count()) {
            return Err(AccountError::InvalidPassword);
        }
        let password = password.to_owned();
        self.with_a_core(move || hash(&password)).await
    }

    /// Runs `work` on a thread that may block, when a core is free for it.
    async fn with_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let core = Arc::clone(&self.hashing).acquire_owned().await;
        let core = core.map_err(|_| AccountError::Ending)?;
        spawn_blocking(move || {
            // Held until the work is done, even if the client leaves earlier.
            let _core = core;
            work()
        })
        .await
        .map_err(|_| AccountError::Ending)?
    }
}

/// Argon2id with the crate's default cost, which is OWASP's: 19 MiB, two passes, one lane.
fn hash(password: &str) -> Result<String, AccountError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(AccountError::Hashing)
}

fn is_password_of(password: &str, kept: &str) -> Result<bool, AccountError> {
    use argon2::password_hash::Error;

    let kept = PasswordHash::new(kept).map_err(|error| AccountError::Hashing(error.into()))?;
    match Argon2::default().verify_password(password.as_bytes(), &kept) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(AccountError::Hashing(error)),
    }
}

fn name_taken(error: sqlx::Error) -> AccountError {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => AccountError::NameTaken,
        _ => AccountError::Database(error),
    }
}

impl Name {
    /// The name that was typed, trimmed and in lower case.
    ///
    /// # Errors
    /// If it breaks the rule.
    pub fn new(typed: &str) -> Result<Self, AccountError> {
        let name = typed.trim().to_ascii_lowercase();
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if (3..=32).contains(&name.len()) && name.bytes().all(is_allowed) {
            Ok(Self(name))
        } else {
            Err(AccountError::InvalidName)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AccountError {
    /// The status that it becomes in an answer. Below 500 the text is meant for the user.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidName | Self::InvalidPassword => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NameTaken => StatusCode::CONFLICT,
            Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::Database(_) | Self::Ending => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hashing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn users() -> (tempfile::TempDir, Users) {
        let folder = tempfile::tempdir().unwrap();
        let users = Users::open(&folder.path().join("demo.db")).await.unwrap();
        (folder, users)
    }

    #[test]
    fn a_name_is_trimmed_and_in_lower_case() {
        assert_eq!(Name::new("  Ada_Lovelace-1 ").unwrap().as_str(), "ada_lovelace-1");
    }

    #[test]
    fn a_name_has_3_to_32_letters_digits_dashes_and_underscores() {
        for name in ["ada", "a-b", "___", "007", &"a".repeat(32)] {
            assert!(Name::new(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "ab",
            "two words",
            "naïve",
            "a.b",
            "ada@example.com",
            "ada\n1",
            &"a".repeat(33),
        ] {
            assert!(Name::new(name).is_err(), "{name}");
        }
    }

    #[tokio::test]
    async fn an_account_opens_to_its_own_password_only() {
        let (_folder, users) = users().await;
        users.sign_up("Ada", "analytical engine").await.unwrap();
        assert_eq!(
            users.sign_in("ADA", "analytical engine").await.unwrap().as_str(),
            "ada"
        );
        for (name, password) in [
            ("ada", "difference engine"),
            ("bob", "analytical engine"),
            ("no such name!", "nobody's"),
            ("bob", "nobody's"),
        ] {
            let refused = users.sign_in(name, password).await.unwrap_err();
            assert!(matches!(refused, AccountError::WrongCredentials), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_name_is_given_once() {
        let (_folder, users) = users().await;
        users.sign_up("ada", "analytical engine").await.unwrap();
        let refused = users.sign_up("ADA", "another password").await.unwrap_err();
        assert!(matches!(refused, AccountError::NameTaken), "{refused}");
    }

    #[tokio::test]
    async fn a_password_has_at_least_8_characters_of_any_kind() {
        let (_folder, users) = users().await;
        let refused = users.sign_up("ada", "7 chars").await.unwrap_err();
        assert!(matches!(refused, AccountError::InvalidPassword), "{refused}");
        users.sign_up("ada", "ÄÖÜäöüßé").await.unwrap();
    }

    #[tokio::test]
    async fn passwords_are_kept_as_argon2id() {
        let (_folder, users) = users().await;
        users.sign_up("ada", "analytical engine").await.unwrap();
        let kept: String = sqlx::query_scalar("SELECT password_hash FROM users")
            .fetch_one(&users.pool)
            .await
            .unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    }
}

//! SQL stores of Tenure.

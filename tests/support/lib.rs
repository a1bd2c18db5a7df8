//! Helpers for the whole-product tests.

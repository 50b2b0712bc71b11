//! Core's conformance suite over both databases.

mod sqlite {
    chelseru_core::store_conformance!(crate::common::sqlite());
}

mod postgres {
    chelseru_core::store_conformance!(
        crate::common::postgres(),
        #[ignore = "needs PostgreSQL: set CHELSERU_TEST_POSTGRES_URL"]
    );
}

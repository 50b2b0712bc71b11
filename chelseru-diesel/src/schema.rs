//! The tables, as both databases have them. The migrations make them.

diesel::table! {
    chelseru_users (id) {
        id -> BigInt,
        mobile_number -> Text,
        group_id -> BigInt,
        username -> Text,
        is_active -> Bool,
        created_at -> BigInt,
        password_hash -> Nullable<Text>,
        username_key -> Nullable<Text>,
    }
}

diesel::table! {
    chelseru_retired_usernames (username_key) {
        username_key -> Text,
        retired_at -> BigInt,
    }
}

diesel::table! {
    chelseru_otp_codes (mobile_number) {
        mobile_number -> Text,
        code_id -> BigInt,
        code_hash -> Binary,
        attempts -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    chelseru_sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        session_key -> Text,
        refresh_hash -> Binary,
        user_agent -> Text,
        ip_address -> Text,
        device -> Text,
        browser -> Text,
        last_seen -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        replaced_hash -> Nullable<Binary>,
        replaced_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    chelseru_sms_log (id) {
        id -> BigInt,
        mobile_number -> Text,
        provider -> Text,
        purpose -> Text,
        user_id -> Nullable<BigInt>,
        status -> Text,
        provider_id -> Nullable<Text>,
        provider_code -> Nullable<Text>,
        parts -> Nullable<BigInt>,
        cost_rial -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        local_id -> Nullable<BigInt>,
        request_id -> Nullable<BigInt>,
        may_repeat -> Nullable<BigInt>,
        delivery -> Nullable<Text>,
        checks -> BigInt,
        check_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    chelseru_sms_requests (id) {
        id -> BigInt,
        user_id -> BigInt,
        key -> Text,
        fingerprint -> Binary,
        status -> Text,
        claimed_at -> BigInt,
    }
}

diesel::table! {
    chelseru_rates (key) {
        key -> Text,
        total -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    chelseru_account_changes (number) {
        number -> BigInt,
        user_id -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    chelseru_newest_change (id) {
        id -> BigInt,
        number -> BigInt,
    }
}

diesel::joinable!(chelseru_sessions -> chelseru_users (user_id));
diesel::allow_tables_to_appear_in_same_query!(chelseru_sessions, chelseru_users);

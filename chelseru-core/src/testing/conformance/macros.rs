//! The list of all behaviours, expanded to tests.

/// Expands the conformance suite over a store: one `#[test]` for each behaviour.
///
/// Takes an expression for a future of `(store, guard)`: a fresh, empty store for each test, and what
/// has to live as long as it does. Attributes after it are put on every test. See
/// [`testing::conformance`](crate::testing::conformance) for an example.
#[macro_export]
macro_rules! store_conformance {
    (@each $attributes:tt $open:tt $($name:ident)+) => {
        $($crate::store_conformance!(@test $attributes $open $name);)+
    };
    (@test [$($attribute:tt)*] [$open:expr] $name:ident) => {
        #[test]
        $($attribute)*
        fn $name() {
            $crate::testing::conformance::run(
                async { $open.await },
                $crate::testing::conformance::$name,
            );
        }
    };
    ($open:expr $(, #[$attribute:meta])* $(,)?) => {
        $crate::store_conformance!(@each [$(#[$attribute])*] [$open]
            a_number_without_a_code_gets_one
            a_live_code_holds_its_place_and_says_until_when
            an_ended_code_makes_room_from_the_moment_of_its_end
            numbers_have_codes_of_their_own
            a_withdrawn_code_makes_room_at_once
            withdrawing_an_older_code_leaves_the_newer_one
            withdrawing_where_there_is_no_code_is_no_error
            a_number_without_a_code_counts_no_attempt
            an_ended_code_counts_no_attempt
            after_the_last_attempt_there_is_none
            a_code_without_attempts_left_still_holds_its_place
            a_new_code_has_all_its_attempts
            of_many_reservations_at_once_one_wins
            of_many_reservations_over_an_ended_code_one_wins
            many_numbers_reserve_at_once_and_each_gets_its_code
            of_many_attempts_at_once_only_the_allowed_ones_count
            reserving_and_withdrawing_at_once_always_gives_an_answer

            a_first_login_makes_the_account_and_opens_the_session
            a_later_login_finds_the_account_and_opens_another_session
            a_number_owns_one_account_in_each_group
            a_code_is_redeemed_once_and_makes_room
            a_withdrawn_code_is_not_redeemed
            an_ended_code_is_not_redeemed
            a_code_lets_in_only_its_own_number
            a_replaced_code_is_not_redeemed
            a_closed_sign_up_changes_nothing
            a_closed_sign_up_lets_known_accounts_in
            an_inactive_account_is_not_let_in_and_nothing_changes
            a_login_that_fails_half_way_changes_nothing
            a_taken_username_is_an_error_and_changes_nothing
            of_many_redemptions_at_once_one_logs_in
            many_new_numbers_log_in_at_once
            many_logins_of_one_new_account_make_it_once
            redeeming_and_withdrawing_at_once_agree

            an_unknown_account_is_not_found
            an_account_is_kept_out_and_let_in_again
            keeping_an_unknown_account_out_says_so

            an_unknown_session_is_not_found
            a_session_is_found_when_it_is_over_or_its_account_is_kept_out
            sessions_are_listed_newest_login_first
            a_list_shows_only_the_accounts_own_live_sessions
            an_account_that_is_kept_out_lists_no_sessions
            a_touch_notes_where_and_when_and_nothing_else
            a_rotation_replaces_the_refresh_token
            a_rotation_without_an_end_leaves_the_end_as_it_is
            a_token_that_is_its_own_successor_stays_good
            a_reused_token_ends_its_session_for_good
            a_session_that_is_over_rotates_no_token
            a_session_is_adopted_with_all_that_it_says
            a_key_is_adopted_once_even_after_its_session_ended
            a_session_of_an_unknown_account_is_not_adopted
            a_session_is_ended_once_and_only_by_its_owner
            an_ended_or_unknown_session_is_not_ended_again
            all_sessions_but_one_are_ended
            all_sessions_are_ended
            of_many_rotations_of_one_token_one_is_done_and_the_session_ends
            many_sessions_rotate_at_once_and_none_disturbs_another
            of_many_adoptions_of_one_key_one_opens_a_session
            of_many_ends_of_one_session_one_is_told_that_it_was_live
            ending_and_rotating_at_once_leave_the_session_ended

            a_message_is_logged_as_being_sent
            every_outcome_is_kept_as_the_provider_said_it
            settling_changes_that_message_alone
            messages_are_read_newest_first_page_by_page
            many_messages_are_logged_at_once_and_none_is_lost

            a_store_that_works_answers_a_ping
            an_empty_store_has_nothing_to_purge
            a_purge_removes_what_is_over_and_nothing_else
            a_session_that_was_ended_early_keeps_its_row
            a_purge_stops_at_its_limit_of_each_kind
            the_id_of_a_purged_session_is_never_used_again
            purges_at_once_remove_each_row_once
        );
    };
}

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
            a_number_is_known_by_an_active_account_in_any_group
            a_number_that_only_asked_for_a_code_is_not_known

            an_account_has_the_name_that_its_owner_chose
            a_name_may_be_spelt_in_another_way_by_who_has_it
            a_name_that_looks_like_anothers_is_taken
            a_name_that_was_left_is_free
            who_is_unknown_or_kept_out_is_not_renamed
            of_many_renames_to_one_name_one_is_done
            a_changed_number_logs_in_to_the_same_account
            a_changed_number_ends_all_sessions_but_one
            a_name_that_says_the_number_changes_with_it
            a_number_is_changed_only_with_its_own_live_code
            a_number_of_another_account_is_taken_and_its_code_stays_good
            who_is_unknown_or_kept_out_gets_no_other_number
            of_many_changes_with_one_code_one_is_done
            of_many_changes_to_one_number_one_is_done
            a_deleted_account_is_gone_with_its_sessions
            the_id_of_a_deleted_account_is_never_used_again
            a_chosen_name_of_a_deleted_account_stays_taken
            a_generated_name_of_a_deleted_account_may_be_generated_again
            the_log_forgets_the_number_of_a_deleted_account_and_nothing_else
            an_account_is_deleted_only_with_a_live_code_of_its_number
            who_is_kept_out_does_not_delete_the_account
            of_many_deletions_with_one_code_one_is_done
            nobody_gets_the_name_of_an_account_that_is_being_deleted

            an_unknown_session_is_not_found
            a_session_is_found_when_it_is_over_or_its_account_is_kept_out
            sessions_are_listed_newest_login_first
            a_list_shows_only_the_accounts_own_live_sessions
            an_account_that_is_kept_out_lists_no_sessions
            a_touch_notes_where_and_when_and_nothing_else
            a_rotation_replaces_the_refresh_token
            a_token_that_does_not_rotate_stays_as_it_is
            an_exchange_is_repeated_and_changes_only_the_last_use
            an_exchange_is_not_repeated_after_its_successor_was_used
            an_exchange_is_repeated_only_as_long_as_it_may_be
            a_reused_token_ends_its_session_for_good
            a_session_that_is_over_rotates_no_token
            a_session_is_adopted_with_all_that_it_says
            a_key_is_adopted_once_even_after_its_session_ended
            an_adoption_is_repeated_until_its_token_was_used
            an_adoption_is_repeated_only_as_long_as_it_may_be
            a_session_of_an_unknown_account_is_not_adopted
            the_sessions_not_used_for_longest_make_room_for_a_new_one
            a_repeated_adoption_ends_no_other_session
            a_session_is_ended_once_and_only_by_its_owner
            an_ended_or_unknown_session_is_not_ended_again
            all_sessions_but_one_are_ended
            all_sessions_are_ended
            of_many_rotations_of_one_token_all_are_given_one_successor
            of_many_rotations_without_repetition_one_is_done_and_the_session_ends
            repeating_an_exchange_and_using_its_successor_at_once_agree
            many_sessions_rotate_at_once_and_none_disturbs_another
            of_many_adoptions_of_one_key_all_are_given_one_session
            of_many_adoptions_without_repetition_one_opens_a_session
            many_logins_at_once_leave_as_many_sessions_as_there_may_be
            of_many_ends_of_one_session_one_is_told_that_it_was_live
            ending_and_rotating_at_once_leave_the_session_ended

            a_message_is_logged_as_being_sent
            a_message_of_an_unknown_account_is_not_logged
            every_outcome_is_kept_as_the_provider_said_it
            what_an_outcome_does_not_say_is_not_known_any_more
            settling_changes_that_message_alone
            messages_are_read_newest_first_page_by_page
            many_messages_are_logged_at_once_and_none_is_lost
            a_bill_has_a_line_for_each_provider_status_and_delivery
            a_line_of_the_bill_adds_up_what_is_known
            a_bill_begins_with_the_moment_it_is_asked_for
            a_bill_too_large_for_a_number_is_an_error_and_not_a_wrong_one

            an_attempt_is_due_from_the_moment_of_its_check
            the_attempts_due_first_are_given_first
            a_claimed_attempt_is_given_whole_and_changes_nothing_but_its_check
            a_claimed_attempt_is_given_again_when_its_claim_ends_and_not_before
            a_settled_attempt_is_due_when_its_outcome_says_so
            checks_may_be_at_any_time_that_there_is
            of_many_claims_at_once_each_attempt_is_given_to_one
            what_was_found_out_about_a_claimed_attempt_is_noted
            what_was_found_out_is_dropped_when_the_attempt_was_settled_since
            what_was_found_out_is_dropped_when_the_attempt_was_claimed_again
            what_the_sender_says_stands_even_after_something_was_found_out
            nothing_is_found_out_about_an_unknown_attempt
            of_many_answers_to_one_claim_one_is_noted
            a_settling_wins_against_many_answers_at_once

            a_new_key_is_its_first_callers
            a_key_that_was_used_says_what_became_of_its_message
            a_key_stands_for_one_message_whatever_became_of_it
            each_account_has_keys_of_its_own
            keys_that_differ_in_anything_are_different_keys
            a_message_that_was_not_sent_opens_its_key_for_one_more_try
            a_request_of_an_unknown_account_is_an_error
            settling_an_unknown_request_is_no_error
            of_many_claims_of_a_key_one_is_to_send_and_again_after_a_failure
            of_many_messages_that_claim_one_key_one_is_sent
            a_key_is_held_by_one_at_a_time
            the_best_attempt_decides_what_became_of_a_forgotten_request
            a_request_is_resolved_once_its_last_attempt_is_settled
            only_requests_that_were_claimed_long_enough_ago_are_resolved
            a_key_that_was_claimed_again_is_as_young_as_its_last_claim
            a_settled_request_is_not_resolved
            a_request_in_doubt_becomes_what_its_attempts_became
            only_a_request_in_doubt_is_settled_anew
            each_request_is_resolved_once_by_many_at_once

            what_is_taken_is_added_up_in_a_window
            a_supply_is_full_again_from_the_moment_at_which_its_window_ends
            a_window_is_as_long_as_its_first_take_said
            a_limit_can_be_reached_and_not_passed
            each_caller_has_a_limit_of_its_own
            supplies_are_told_apart_by_every_letter_of_their_keys
            more_than_the_limit_is_never_there_and_begins_no_window
            nothing_can_be_taken_until_more_than_the_limit_was
            who_asks_for_no_supply_gets_it
            several_supplies_are_answered_in_the_order_of_the_question
            of_several_supplies_all_or_none_is_taken
            of_several_exhausted_supplies_the_one_that_lasts_longest_is_named
            a_supply_that_is_named_twice_is_an_error_and_nothing_is_taken
            amounts_may_be_as_large_as_numbers_are
            a_window_may_be_as_long_as_time_is_and_as_short_as_none
            of_many_takers_at_once_as_many_get_it_as_there_is
            of_many_takers_of_several_supplies_none_takes_a_part
            takers_of_the_same_supplies_in_opposite_orders_all_get_an_answer
            a_correction_gives_back_and_takes_more
            several_supplies_are_corrected_at_once
            a_correction_stops_at_nothing_and_passes_limits
            a_correction_may_be_as_large_as_numbers_are
            a_correction_of_an_earlier_window_changes_nothing
            a_correction_of_an_unknown_supply_makes_none
            of_many_corrections_at_once_none_is_lost

            a_store_that_works_answers_a_ping
            an_empty_store_has_nothing_to_purge
            a_purge_removes_what_is_over_and_nothing_else
            a_session_that_was_ended_early_keeps_its_row
            a_window_is_purged_from_the_moment_at_which_it_ends
            a_settled_request_is_purged_when_it_was_kept_long_enough
            a_request_that_is_being_sent_is_never_purged
            the_id_of_a_purged_request_is_never_used_again
            a_purge_stops_at_its_limit_of_each_kind
            the_id_of_a_purged_session_is_never_used_again
            purges_at_once_remove_each_row_once
        );
    };
}

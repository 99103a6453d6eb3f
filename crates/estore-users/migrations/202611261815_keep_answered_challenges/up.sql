-- Challenges of those who are not logged in are kept once they are answered, and no longer counted before.
DROP INDEX passkey_challenges_of_nobody;

-- One row for each account of the export, with the home that its tenancy is of.
-- What cannot be joined stays, without a UPRN: the node must not take its household for one
-- without a record.
WITH accounts AS (
    -- The header of the file is row 1.
    SELECT
        row_number() OVER () + 1 AS row,
        tenancy_ref,
        trim(balance) AS balance,
        TRY_CAST(balance AS DOUBLE) AS amount
    FROM read_csv($accounts, all_varchar = true, header = true)
),
homes AS (
    SELECT property_ref, min(trim(uprn)) AS uprn
    FROM read_csv($homes, all_varchar = true, header = true)
    GROUP BY property_ref
)
SELECT
    accounts.row,
    tenancies.tenancy_ref IS NULL AS no_tenancy,
    coalesce(tenancies.end_date <= $today, false) AS ended,
    homes.uprn AS uprn_text,
    -- A cast alone would round 1.5.
    CASE
        WHEN regexp_full_match(homes.uprn, '[0-9]{1,12}') THEN CAST(homes.uprn AS BIGINT)
    END AS uprn,
    accounts.balance AS balance_text,
    -- The association writes what is owed as a negative balance. `greatest` would make 0 of
    -- what is not known.
    CASE
        WHEN isfinite(amount) THEN CASE WHEN amount < 0 THEN -amount ELSE 0.0 END
    END AS rent_arrears,
    tenancies.notice_date IS NOT NULL AS notice_served,
    tenancies.start_date AS tenancy_start
FROM accounts
LEFT JOIN read_parquet($tenancies) AS tenancies USING (tenancy_ref)
LEFT JOIN homes USING (property_ref)
ORDER BY accounts.row

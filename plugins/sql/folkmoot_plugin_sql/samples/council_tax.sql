-- Made-up accounts, in the SQL that most databases read. The sample mapping reads them:
--   sqlite3 council_tax.sqlite < council_tax.sql
CREATE TABLE accounts (
    account_ref INTEGER PRIMARY KEY,
    uprn BIGINT,
    account_type CHAR(3) NOT NULL,
    arrears DECIMAL(10, 2),
    support CHAR(1),
    band CHAR(1),
    lsoa CHAR(9),
    liable_since DATE,
    holder_name VARCHAR(100)
);
INSERT INTO accounts VALUES
    (1, 100012345678, 'DOM', 0.00, 'N', 'A', 'E01006151', '2011-04-01', 'A. Example'),
    (2, 100012345679, 'DOM', 2400.50, 'Y', 'B', 'E01006151', '2019-09-30', 'B. Example'),
    (3, 100012345680, 'DOM', 310.00, 'N', 'C', 'E01006152', '2024-02-29', 'C. Example'),
    (4, 100012345681, 'BUS', 99.00, 'N', 'D', 'E01006152', '2020-01-01', 'Example Ltd'),
    (5, NULL, 'DOM', NULL, NULL, 'A', NULL, NULL, 'D. Example'),
    (6, 1000123456789, 'DOM', 5.00, 'N', 'A', 'E01006152', '2020-01-01', 'E. Example');

-- The people of a company: schema "prod". Employees report to employees, departments have heads who
-- work in departments. data.sql fills it.

SET client_min_messages = warning;

CREATE SCHEMA prod;
SET search_path = prod, pg_temp;

CREATE TABLE departments (
  id      integer PRIMARY KEY,
  name    text NOT NULL UNIQUE,
  head_id integer               -- its foreign key follows below: the two tables point to each other
);

CREATE TABLE employees (
  id            integer PRIMARY KEY,
  employee_no   varchar(8) NOT NULL UNIQUE CHECK (employee_no ~ '^[0-9]{8}$'),
  first_name    varchar(60) NOT NULL,
  last_name     varchar(60) NOT NULL,
  sex           char(1) CHECK (sex IN ('f', 'm')),
  email         varchar(160) NOT NULL UNIQUE,
  phone         varchar(32),
  birth_date    date NOT NULL,
  iban          varchar(34) NOT NULL,
  department_id integer NOT NULL REFERENCES departments,
  manager_id    integer REFERENCES employees,
  job_title     text NOT NULL,
  salary        numeric(10,2) NOT NULL CHECK (salary > 0),
  hired_on      date NOT NULL,
  left_on       date,
  CHECK (left_on > hired_on)
);
CREATE INDEX employees_manager_id_idx ON employees (manager_id);
COMMENT ON COLUMN employees.manager_id IS 'NULL for the head of the company only';

ALTER TABLE departments
  ADD CONSTRAINT departments_head_id_fkey FOREIGN KEY (head_id) REFERENCES employees
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE salary_history (
  id          integer PRIMARY KEY,
  employee_id integer NOT NULL REFERENCES employees,
  valid_from  date NOT NULL,
  salary      numeric(10,2) NOT NULL
);

CREATE TABLE absences (
  id          integer PRIMARY KEY,
  employee_id integer NOT NULL REFERENCES employees,
  kind        text NOT NULL,
  first_day   date NOT NULL,
  last_day    date NOT NULL
);
COMMENT ON COLUMN absences.kind IS 'vacation, illness, parental leave';

CREATE TABLE reviews (
  id          integer PRIMARY KEY,
  employee_id integer NOT NULL REFERENCES employees,
  reviewer_id integer NOT NULL REFERENCES employees,
  year        smallint NOT NULL,
  rating      smallint CHECK (rating BETWEEN 1 AND 5),
  comment     text
);

-- The sandbox's book: what was asked, and what stands in whose books.

-- name: create_lines
-- The book as it lies on disk, a line a row, in its order.
create temp table book_line (n bigint generated always as identity, line text not null)

-- name: copy_lines
-- Bytes 1 and 2 never stand in JSON text, so every line is one value.
copy book_line (line) from stdin with (format csv, delimiter E'\x01', quote E'\x02', encoding 'utf8')

-- name: read_lines
-- Each line is parsed once and only what is compared is kept.
create temp table book_entry as
select n,
       entry->>'kind' as kind,
       entry->>'endpoint' as endpoint,
       entry->>'company_id' as company_id,
       entry->>'company_name' as company_name,
       entry->>'number' as number,
       entry->>'contact_code' as contact_code,
       entry->>'document_id' as document_id,
       entry->>'method' as method,
       entry->>'path' as path,
       entry->>'key_company' as key_company,
       entry->'query' as query,
       case entry->>'kind' when 'stored' then entry->'document' end as document,
       body->>'number' as body_number,
       body->>'company_name' as body_company_name,
       case when body #>> '{source,id}' ~ '^[0-9]{1,18}$' then (body #>> '{source,id}')::bigint end as aggregate_id,
       body #>> '{source,table}' as source_table,
       case when entry->>'kind' in ('request', 'stored') and jsonb_typeof(body) = 'object'
            then md5((body - 'company_name')::text) end as content
from (select n, entry, coalesce(entry->'body', entry->'document') as body
      from (select n, replace(line, '\u0000', '\ufffd')::jsonb as entry from book_line offset 0) parsed offset 0) entry;
analyze book_entry;

-- A document that came to stand in a company's books; copy 2 and on stand there twice.
create temp table stored as
select n, company_id, endpoint, number, contact_code, document_id, document, aggregate_id, source_table, content,
       row_number() over (partition by company_id, endpoint, number order by n) as copy
from book_entry
where kind = 'stored';
create index on stored (company_id, endpoint, number);
create unique index on stored (n);
analyze stored;

-- A request to post a document, under a key that is bound to a company.
create temp table posted as
select n, key_company as company_id, endpoint, body_number as number, body_company_name as company_name, aggregate_id, content
from book_entry
where kind = 'request' and method = 'POST' and key_company is not null and content is not null
  and endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment');
create index on posted (company_id, endpoint, number);
analyze posted;

-- A question about one company under a key: by name, as the API takes it.
create temp table asked as
select n, key_company as company_id, path, coalesce(query->>'number', path) as number,
       case jsonb_typeof(query->'company') when 'array' then query #>> '{company,0}' else query->>'company' end as company_name
from book_entry
where kind = 'request' and method = 'GET' and key_company is not null and jsonb_typeof(query) = 'object';

-- Every name that a company goes by.
create temp table company_alias as
select company_id, company_name from aiaccount.tenants where company_id is not null
union
select company_id, company_name from book_entry where kind = 'stored' and company_name is not null;

create temp table finding (kind text not null, company_id text, endpoint text, number text not null, detail text not null);
-- What differs for a document that was sent under earlier settings, which nobody kept.
create temp table note (company_id text, endpoint text, number text not null, detail text not null);
-- What the row calls for and a stop or a missing company holds back.
create temp table held (endpoint text not null, number text not null, reason text not null);
drop table book_entry, book_line;

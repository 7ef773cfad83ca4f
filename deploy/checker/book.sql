-- The sandbox's book: what was asked, and what stands in whose books.

-- name: create_lines
-- The book as it lies on disk, a line a row, in its order.
create temp table book_line (n bigint generated always as identity, line text not null)

-- name: copy_lines
-- Bytes 1 and 2 never stand in JSON text, so every line is one value.
copy book_line (line) from stdin with (format csv, delimiter E'\x01', quote E'\x02', encoding 'utf8')

-- name: read_lines
create temp table book_entry as
select n, entry, entry->>'kind' as kind, entry->>'endpoint' as endpoint
from (select n, replace(line, '\u0000', '\ufffd')::jsonb as entry from book_line) line;

-- A document that came to stand in a company's books; copy 2 and on stand there twice.
create temp table stored as
select n,
       entry->>'company_id' as company_id,
       endpoint,
       entry->>'number' as number,
       entry->>'contact_code' as contact_code,
       entry->>'document_id' as document_id,
       entry->'document' as document,
       case when entry #>> '{document,source,id}' ~ '^[0-9]{1,18}$'
            then (entry #>> '{document,source,id}')::bigint end as aggregate_id,
       entry #>> '{document,source,table}' as source_table,
       row_number() over (partition by entry->>'company_id', endpoint, entry->>'number' order by n) as copy
from book_entry
where kind = 'stored';
create index on stored (company_id, endpoint, number);
analyze stored;

-- A request to post a document, under a key that is bound to a company.
create temp table posted as
select n,
       entry->>'key_company' as company_id,
       endpoint,
       entry #>> '{body,number}' as number,
       entry #>> '{body,company_name}' as company_name,
       case when entry #>> '{body,source,id}' ~ '^[0-9]{1,18}$'
            then (entry #>> '{body,source,id}')::bigint end as aggregate_id,
       md5(((entry->'body') - 'company_name')::text) as content
from book_entry
where kind = 'request' and entry->>'method' = 'POST' and entry->>'key_company' is not null
  and endpoint in ('pos_invoice', 'pos_receipt', 'kol_bill', 'kol_payment')
  and jsonb_typeof(entry->'body') = 'object';
create index on posted (company_id, endpoint, number);
analyze posted;

-- A question about one company under a key: by name, as the API takes it.
create temp table asked as
select n, entry->>'key_company' as company_id, entry->>'path' as path,
       coalesce(entry #>> '{query,number}', entry->>'path') as number,
       case jsonb_typeof(entry->'query')
         when 'object' then case jsonb_typeof(entry #> '{query,company}')
                              when 'array' then entry #>> '{query,company,0}' else entry #>> '{query,company}' end
       end as company_name
from book_entry
where kind = 'request' and entry->>'method' = 'GET' and entry->>'key_company' is not null;

-- Every name that a company goes by.
create temp table company_alias as
select company_id, company_name from aiaccount.tenants where company_id is not null
union
select entry->>'company_id', entry->>'company_name' from book_entry
where kind = 'stored' and entry->>'company_name' is not null;

create temp table finding (kind text not null, company_id text, endpoint text, number text not null, detail text not null);
-- What differs for a document that was sent under earlier settings, which nobody kept.
create temp table note (company_id text, endpoint text, number text not null, detail text not null);
-- What the row calls for and a stop or a missing company holds back.
create temp table held (endpoint text not null, number text not null, reason text not null);
drop table book_entry, book_line;

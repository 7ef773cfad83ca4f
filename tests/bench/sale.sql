-- The usual sale of a till: seven statements in one transaction. Parameters: blogger, receipt_no, sale_id.

-- name: open
insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount, cashier_id)
values (%(blogger)s::bigint, 'S1', %(receipt_no)s::text, 0, 0, 7)
returning id as sale_id;

-- name: item_1
insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
values (%(sale_id)s::bigint, 1, 'TS-01', 'T-shirt, white, M', 2, 25, 50);

-- name: item_2
insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
values (%(sale_id)s::bigint, 2, 'MUG-07', 'Mug', 1, 19.9, 19.90);

-- name: item_3
insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
values (%(sale_id)s::bigint, 3, 'CAP-02', 'Cap, black', 1, 30.1, 30.10);

-- name: total
update pos_transactions set subtotal = 100, total_amount = 100, updated_at = now() where id = %(sale_id)s::bigint;

-- name: complete
update pos_transactions set status = 'completed', completed_at = now(), updated_at = now() where id = %(sale_id)s::bigint;

-- name: pay
update pos_transactions
set status = 'paid', paid_at = now(), amount_paid = 100, payment_method = 'cash', updated_at = now()
where id = %(sale_id)s::bigint;

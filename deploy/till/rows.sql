-- What a till writes into NS16's tables.

-- name: open_sale
-- Rung up, not totalled yet.
insert into pos_transactions (blogger_id, store_code, receipt_no, txn_type, original_txn_id, source, platform_order_id,
                              customer_id, customer_name, customer_tin, currency, exchange_rate, tax_inclusive, tax_type,
                              tax_rate, subtotal, total_amount, cashier_id, created_at, updated_at)
values (%(blogger_id)s, %(store_code)s, %(receipt_no)s, %(txn_type)s, %(original_txn_id)s, %(source)s, %(platform_order_id)s,
        %(customer_id)s, %(customer_name)s, %(customer_tin)s, %(currency)s, %(exchange_rate)s, %(tax_inclusive)s, %(tax_type)s,
        %(tax_rate)s, 0, 0, %(cashier_id)s, %(now)s, %(now)s)
returning id

-- name: add_item
insert into pos_transaction_items (transaction_id, line_no, item_kind, sku, description, quantity, unit_price, line_discount,
                                   line_total, tax_type, tax_rate, tax_amount)
values (%(id)s, %(line_no)s, %(item_kind)s, %(sku)s, %(description)s, %(quantity)s, %(unit_price)s, %(line_discount)s,
        %(line_total)s, %(tax_type)s, %(tax_rate)s, %(tax_amount)s)

-- name: remove_items
delete from pos_transaction_items where transaction_id = %(id)s

-- name: total_sale
update pos_transactions
   set subtotal = %(subtotal)s, order_discount = %(order_discount)s, service_charge = %(service_charge)s,
       tax_amount = %(tax_amount)s, tip_amount = %(tip_amount)s, rounding_adjustment = %(rounding)s,
       total_amount = %(total)s, updated_at = %(now)s
 where id = %(id)s

-- name: complete_sale
update pos_transactions set status = 'completed', completed_at = %(now)s, updated_at = %(now)s where id = %(id)s

-- name: take_payment
-- One tender by the shortcut, more as a list. Paid in full or not, as told.
update pos_transactions
   set status = %(status)s, amount_paid = %(amount_paid)s, payment_method = %(payment_method)s, tenders = %(tenders)s,
       paid_at = %(now)s, updated_at = %(now)s
 where id = %(id)s

-- name: void_sale
update pos_transactions
   set status = 'voided', voided_at = %(now)s, void_reason = %(reason)s, updated_at = %(now)s
 where id = %(id)s

-- name: mark_refunded
update pos_transactions set status = %(status)s, updated_at = %(now)s where id = %(id)s

-- name: change_cashier
update pos_transactions set cashier_id = %(cashier_id)s, updated_at = %(now)s where id = %(id)s

-- name: draft_settlement
insert into kol_settlements (blogger_id, settlement_no, payer_type, payer_id, payee_kol_id, payee_name, payee_tin, period_start,
                             period_end, gross_sales, commission_rate, commission_amount, adjustments, net_payable, currency,
                             created_at, updated_at)
values (%(blogger_id)s, %(settlement_no)s, %(payer_type)s, %(payer_id)s, %(payee_kol_id)s, %(payee_name)s, %(payee_tin)s,
        %(period_start)s, %(period_end)s, %(gross_sales)s, %(commission_rate)s, %(commission_amount)s, %(adjustments)s,
        %(net_payable)s, %(currency)s, %(now)s, %(now)s)
returning id

-- name: approve_settlement
-- The withholding tax is known when it is approved.
update kol_settlements
   set status = 'approved', wht_amount = %(wht_amount)s, approved_at = %(now)s, updated_at = %(now)s
 where id = %(id)s

-- name: pay_settlement
update kol_settlements
   set status = %(status)s, payment_method = %(payment_method)s, payment_reference = %(payment_reference)s,
       payments = %(payments)s, paid_at = %(paid_at)s, updated_at = %(now)s
 where id = %(id)s

-- name: cancel_settlement
update kol_settlements set status = 'cancelled', cancelled_at = %(now)s, updated_at = %(now)s where id = %(id)s

using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// Row-level security beneath everything else: a statement sees and writes the rows of the tenant that its transaction
/// names, and of none where it names none. What must look over all tenants are a few functions, each of which answers
/// one question.
/// </summary>
internal static class RowSecurity
{
    private const string Bind = "select set_config('platform.tenant', $1, true)";

    // Driven by the catalogue, so that no table is forgotten. Nothing is locked where all is as it should be.
    private const string Policies = """
        do $$
        declare
            tenants constant text := '(tenant_id = current_setting(''platform.tenant''::text, true))';
            relation record;
        begin
            for relation in
                select c.oid, c.oid::regclass as name, c.relrowsecurity and c.relforcerowsecurity as is_on, pg_get_expr(p.polqual, c.oid) as policy
                from pg_class c
                join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
                left join pg_policy p on p.polrelid = c.oid and p.polname = 'of_its_tenant'
                where c.relnamespace in ('platform'::regnamespace, 'events'::regnamespace) and c.relkind in ('r', 'p')
            loop
                if not relation.is_on then
                    execute format('alter table %s enable row level security, force row level security', relation.name);
                end if;
                -- A varchar, such as Marten's, is compared as text.
                if replace(relation.policy, '(tenant_id)::text', 'tenant_id') is distinct from tenants then
                    execute format('drop policy if exists of_its_tenant on %s', relation.name);
                    execute format('create policy of_its_tenant on %s using %s', relation.name, tenants);
                end if;
                if relation.name in ('platform.tenants'::regclass, 'platform.api_keys'::regclass, 'platform.fleets'::regclass, 'platform.log_queue'::regclass, 'platform.notice_queue'::regclass, 'platform.webhook_deliveries'::regclass, 'platform.tenant_databases'::regclass)
                    and not exists (select from pg_policy where polrelid = relation.oid and polname = 'of_all_to_the_owner')
                then
                    execute format('create policy of_all_to_the_owner on %s for select to %I using (true)', relation.name, current_user);
                end if;
            end loop;
        end $$
        """;

    private const string Functions = """
        create or replace function platform.due_fleets(instant timestamptz, most integer) returns table (tenant_id text, fleet_id text)
        language sql stable security definer set search_path = pg_catalog as $$
            select f.tenant_id, f.fleet_id from platform.fleets f where f.retired_at is null and f.due_at <= instant order by f.due_at limit most
        $$;
        create or replace function platform.find_api_key(public_id text)
        returns table (tenant_id text, name text, scopes text[], mac bytea, expires_at timestamptz)
        language sql stable security definer set search_path = pg_catalog as $$
            select k.tenant_id, k.name, k.scopes, k.mac, k.expires_at from platform.api_keys k join platform.tenants t on t.tenant_id = k.tenant_id
            where k.key_id = public_id and k.revoked_at is null and t.suspended_at is null
        $$;
        create or replace function platform.find_refused_key(public_id text) returns table (tenant_id text, mac bytea, cause text)
        language sql stable security definer set search_path = pg_catalog as $$
            select k.tenant_id, k.mac, case when k.revoked_at is null then 'suspended' else 'revoked' end
            from platform.api_keys k join platform.tenants t on t.tenant_id = k.tenant_id
            where k.key_id = public_id and (k.revoked_at is not null or t.suspended_at is not null)
        $$;
        create or replace function platform.list_tenants(after text, most integer)
        returns table (tenant_id text, display_name text, registered_at timestamptz, suspended_at timestamptz)
        language sql stable security definer set search_path = pg_catalog as $$
            select t.tenant_id, t.display_name, t.registered_at, t.suspended_at from platform.tenants t
            where t.tenant_id > after order by t.tenant_id limit most
        $$;
        create or replace function platform.unlogged_tenants(most integer) returns table (tenant_id text)
        language sql stable security definer set search_path = pg_catalog as $$
            with recursive waiting as (
                (select q.tenant_id from platform.log_queue q order by q.tenant_id limit 1)
                union all
                select (select q.tenant_id from platform.log_queue q where q.tenant_id > w.tenant_id order by q.tenant_id limit 1)
                from waiting w where w.tenant_id is not null
            )
            select w.tenant_id from waiting w where w.tenant_id is not null limit most
        $$;
        create or replace function platform.unannounced_fleets(most integer) returns table (tenant_id text, fleet_id text)
        language sql stable security definer set search_path = pg_catalog as $$
            select distinct q.tenant_id, q.fleet_id from platform.notice_queue q order by q.tenant_id, q.fleet_id limit most
        $$;
        create or replace function platform.due_webhooks(instant timestamptz, most integer) returns table (tenant_id text)
        language sql stable security definer set search_path = pg_catalog as $$
            select d.tenant_id from platform.webhook_deliveries d where d.due_at <= instant group by d.tenant_id order by min(d.due_at) limit most
        $$;
        create or replace function platform.find_tenant_database(tenant text) returns text
        language sql stable security definer set search_path = pg_catalog as $$
            select d.database from platform.tenant_databases d where d.tenant_id = tenant
        $$;
        create or replace function platform.count_tenants_by_database() returns table (database text, tenants bigint)
        language sql stable security definer set search_path = pg_catalog as $$
            select d.database, count(*) from platform.tenant_databases d group by d.database
        $$;
        revoke execute on all functions in schema platform from public
        """;

    // Snapshots, what was in force, events and operators' decisions are only ever added. Hangfire's tables hold no
    // tenant's data.
    private const string Grants = """
        grant usage on schema platform, events, hangfire to {0};
        grant select, insert, update on all tables in schema platform, events to {0};
        revoke update on platform.allocation_snapshots, platform.in_force_changes, platform.log_entries, platform.log_nodes, platform.log_checkpoints, platform.rejection_decisions, platform.tenant_databases, events.mt_events from {0};
        grant delete on platform.log_queue, platform.notice_queue, platform.webhooks, platform.webhook_deliveries to {0};
        grant delete on platform.rejections to {0};
        grant usage, select on all sequences in schema platform to {0};
        revoke all on platform.migrations from {0};
        grant usage, select on all sequences in schema events to {0};
        grant execute on all functions in schema platform, events to {0};
        grant select, insert, update, delete on all tables in schema hangfire to {0};
        grant usage, select, update on all sequences in schema hangfire to {0}
        """;

    /// <summary>
    /// Puts policies, functions and rights in place; run by the owner after every migration, and changes nothing where
    /// nothing is missing.
    /// </summary>
    public static async Task ApplyAsync(NpgsqlConnection owner, string role, CancellationToken cancel)
    {
        foreach (
            var sql in (string[])
                [Policies, Functions, Grants.Replace("{0}", ApplicationRole.Quoted(role), StringComparison.Ordinal)]
        )
            await ApplicationRole.ExecuteAsync(owner, sql, cancel);
    }

    /// <summary>Names the tenant for the rest of a transaction; at its end the connection names none again.</summary>
    public static async Task BindAsync(NpgsqlTransaction transaction, string tenant, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Bind, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = tenant });
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The same as the first statement of a batch.</summary>
    public static NpgsqlBatchCommand Binding(string tenant) =>
        new(Bind) { Parameters = { new NpgsqlParameter<string> { TypedValue = tenant } } };
}

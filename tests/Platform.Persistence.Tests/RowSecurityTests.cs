using Npgsql;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;
using Platform.Testing;

namespace Platform.Persistence.Tests;

/// <summary>What the database itself keeps apart, whatever the code above it asks for.</summary>
public sealed class RowSecurityTests(TestStore store)
{
    // Tables without a tenant, each with the reason why it needs none; a new one has to be thought about.
    private static readonly string[] OfNoTenant =
    [
        "events.mt_doc_deadletterevent", // what daemons could not apply; none runs
        "events.mt_event_progression", // how far daemons have come; none runs
        "events.mt_high_water_skips", // the same
        "platform.migrations", // out of the application's reach
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_table_with_a_tenant_is_secured_and_the_others_are_known()
    {
        var insecure = await ListAsync(
            """
            select format('%s.%s', c.relnamespace::regnamespace, c.relname) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relkind in ('r', 'p') and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
                and not (c.relrowsecurity and c.relforcerowsecurity
                    and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'of_its_tenant' and p.polcmd = '*'))
            """
        );
        Assert.Empty(insecure);
        var without = await ListAsync(
            """
            select format('%s.%s', c.relnamespace::regnamespace, c.relname) from pg_class c
            where c.relkind in ('r', 'p') and c.relnamespace in ('platform'::regnamespace, 'events'::regnamespace, 'public'::regnamespace)
                and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
            order by 1
            """
        );
        Assert.Equal(OfNoTenant, without);
    }

    [Fact]
    public async Task The_applications_role_owns_nothing_and_is_above_nothing()
    {
        var role = new NpgsqlConnectionStringBuilder(store.Database.ConnectionString).Username;
        Assert.Empty(
            await ListAsync(
                $"select rolname::text from pg_roles where rolname = '{role}' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)"
            )
        );
        Assert.Empty(
            await ListAsync(
                $"select c.oid::regclass::text from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = '{role}'"
            )
        );
        Assert.Empty(
            await ListAsync(
                $"select nspname::text from pg_namespace where has_schema_privilege('{role}', oid, 'create')"
            )
        );
        Assert.Empty(
            await ListAsync(
                $"select m.roleid::regrole::text from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = '{role}'"
            )
        );
    }

    [Theory]
    [InlineData("alter table platform.fleets disable row level security")]
    [InlineData("drop policy of_its_tenant on platform.fleets")]
    [InlineData("create table platform.mine (id int)")]
    [InlineData("update platform.allocation_snapshots set hash = 'forged'")]
    [InlineData("delete from platform.allocation_snapshots")]
    [InlineData("update platform.rejection_decisions set why = 'forged'")]
    [InlineData("delete from platform.rejection_decisions")]
    [InlineData("truncate platform.rejections")]
    [InlineData("update events.mt_events set data = '{}'")]
    [InlineData("delete from events.mt_events")]
    [InlineData("truncate events.mt_events")]
    [InlineData("delete from platform.tenants")]
    [InlineData("select * from platform.migrations")]
    public async Task What_no_host_needs_no_host_may(string sql) => Assert.Equal("42501", await StateOfAsync(sql));

    [Fact]
    public async Task Without_a_tenant_there_is_no_row_to_see_and_none_to_write()
    {
        await OwnerHasEverythingAsync(TestStore.NewTenant());
        foreach (var table in await TenantTablesAsync())
            Assert.Equal((table, 0L), (table, await CountAsync(null, table)));
        Assert.Equal(
            "42501",
            await StateOfAsync(
                "insert into platform.tenants (tenant_id, display_name, registered_at) values ('forged', 'F', now())"
            )
        );
    }

    [Fact]
    public async Task A_tenant_sees_its_own_rows_in_every_table_and_can_write_no_other()
    {
        var (owner, stranger) = (TestStore.NewTenant(), TestStore.NewTenant());
        await OwnerHasEverythingAsync(owner);
        await OwnerHasEverythingAsync(stranger);
        foreach (var table in await TenantTablesAsync())
        {
            var all = await store.Database.QueryAsync<long>(
                $"select count(*) from {table} where tenant_id = '{owner}'",
                Cancel
            );
            Assert.Equal((table, all), (table, await CountAsync(owner, table)));
        }

        Assert.Equal(0, await CountAsync(owner, "platform.fleets", $"where tenant_id = '{stranger}'"));
        Assert.Equal(
            "42501",
            await StateOfAsync(
                $"insert into platform.workload_sums values ('{stranger}', 'forged', 1, '', null, 1)",
                owner
            )
        );
        Assert.Equal(
            "42501",
            await StateOfAsync($"update platform.fleets set tenant_id = '{stranger}', fleet_id = 'taken'", owner)
        );
    }

    [Fact]
    public async Task Four_connections_under_two_hundred_sessions_never_show_a_strangers_row()
    {
        string[] tenants = [TestStore.NewTenant(), TestStore.NewTenant()];
        foreach (var tenant in tenants)
            await OwnerHasEverythingAsync(tenant);
        var settings = new NpgsqlConnectionStringBuilder(store.Database.ConnectionString)
        {
            MaxPoolSize = 4,
            Timeout = 60,
        };
        await using var pooled = new PlatformStore(settings.ConnectionString);

        var seen = await Task.WhenAll(
            Enumerable
                .Range(0, 200)
                .Select(async i =>
                {
                    var tenant = tenants[i % 2];
                    await using var session = await pooled.OpenAsync(tenant, Cancel);
                    await using var batch = session.CreateBatch();
                    batch.BatchCommands.Add(
                        new NpgsqlBatchCommand(
                            "select string_agg(distinct tenant_id, ',') from (select tenant_id from platform.fleets union all select tenant_id from events.mt_events) as rows"
                        )
                    );
                    var found = (string?)await batch.ExecuteScalarAsync(Cancel);
                    // Some commit and some do not: neither may leave the tenant behind.
                    if (i % 3 == 0)
                        await session.CommitAsync(Cancel);
                    return (tenant, found);
                })
        );

        Assert.All(seen, it => Assert.Equal(it.tenant, it.found));
        await using var left = new NpgsqlConnection(settings.ConnectionString);
        await left.OpenAsync(Cancel);
        await using var named = new NpgsqlCommand(
            "select coalesce(current_setting('platform.tenant', true), '')",
            left
        );
        Assert.Equal("", await named.ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task An_owner_who_is_no_superuser_serves_as_well()
    {
        var owner = $"owner_{Guid.NewGuid():n}";
        var server = new NpgsqlConnectionStringBuilder(TestServices.Postgres) { Pooling = false };
        await using var administrator = new NpgsqlConnection(server.ConnectionString);
        await administrator.OpenAsync(Cancel);
        await ApplicationRole.ExecuteAsync(
            administrator,
            $"create role {owner} login createrole password 'secret'",
            Cancel
        );
        await ApplicationRole.ExecuteAsync(administrator, $"create database {owner} owner {owner}", Cancel);
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(server.ConnectionString)
            {
                Database = owner,
                Username = owner,
                Password = "secret",
            }.ConnectionString;
            await Migrator.MigrateAsync(connection, null, Cancel);
            await Migrator.MigrateAsync(connection, null, Cancel);
            await using var theirs = new PlatformStore(ApplicationRole.ConnectionFor(connection));
            await new TenantRegistry(theirs).RegisterAsync(
                "acme",
                "A team",
                TestStore.Key("acme", "first"),
                [1],
                _ => Task.CompletedTask,
                TestStore.At,
                Cancel
            );
            await new FleetStore(theirs).PutAsync(
                "acme",
                "chat",
                TestStore.Definition,
                null,
                "ci",
                TestStore.At,
                Cancel
            );
            Assert.Equal(
                ["acme"],
                (await new TenantRegistry(theirs).ListAsync("", 10, Cancel)).Select(tenant => tenant.Id)
            );
            Assert.NotNull(await new TenantRegistry(theirs).FindKeyAsync("acme-first", Cancel));
            await using var claim = await new DueFleets(theirs).ClaimAsync(TestStore.At.AddDays(1), 10, Cancel);
            Assert.Equal([new FleetKey("acme", "chat")], claim.Fleets);
        }
        finally
        {
            await ApplicationRole.ExecuteAsync(
                administrator,
                $"drop database {owner} with (force)",
                CancellationToken.None
            );
            await ApplicationRole.ExecuteAsync(administrator, $"drop role {owner}_application", CancellationToken.None);
            await ApplicationRole.ExecuteAsync(administrator, $"drop role {owner}", CancellationToken.None);
        }
    }

    [Fact]
    public async Task The_owner_is_refused_as_the_applications_role()
    {
        var owner = store.Database.OwnerConnectionString;
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Migrator.MigrateAsync(owner, owner, Cancel)
        );
        Assert.Contains("row-level security", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ApplicationRole.ConnectionFor("Host=localhost;Username=someone"));
    }

    private async Task OwnerHasEverythingAsync(string tenant)
    {
        await store.RegisterTenantAsync(tenant, Cancel);
        await store.PutFleetAsync(tenant, "chat", Cancel);
        Assert.Equal(
            [IntakeOutcome.Stored],
            await store.Intake.StoreAsync(
                [new IncomingWindow(tenant, Guid.NewGuid(), TestStore.Window("chat"))],
                Cancel
            )
        );
        Assert.True(await store.PublishAsync(tenant, "chat", Cancel));
        await new Rejections(store.Store).RecordAsync(
            [new NewRejection(tenant, "1", TestStore.At, "chat", null, "body: no JSON", new byte[3])],
            Cancel
        );
    }

    private Task<IReadOnlyList<string>> TenantTablesAsync() =>
        ListAsync(
            """
            select format('%s.%s', c.relnamespace::regnamespace, c.relname) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relkind in ('r', 'p') and c.relnamespace in ('platform'::regnamespace, 'events'::regnamespace) order by 1
            """
        );

    private async Task<long> CountAsync(string? tenant, string table, string where = "") =>
        (long)(await AsApplicationAsync(tenant, $"select count(*) from {table} {where}"))!;

    private async Task<string?> StateOfAsync(string sql, string? tenant = null) =>
        (await Record.ExceptionAsync(() => AsApplicationAsync(tenant, sql)) as PostgresException)?.SqlState;

    private async Task<object?> AsApplicationAsync(string? tenant, string sql)
    {
        await using var connection = new NpgsqlConnection(store.Database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        if (tenant is not null)
            await RowSecurity.BindAsync(transaction, tenant, Cancel);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        return await command.ExecuteScalarAsync(Cancel);
    }

    private async Task<IReadOnlyList<string>> ListAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(store.Database.OwnerConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var lines = new List<string>();
        while (await reader.ReadAsync(Cancel))
            lines.Add(reader.GetString(0));
        return lines;
    }
}

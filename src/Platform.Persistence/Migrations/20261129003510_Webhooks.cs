using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Webhooks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "webhooks",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    webhook_id = table.Column<Guid>(type: "uuid", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    fleets = table.Column<string[]>(type: "text[]", nullable: true),
                    generation = table.Column<int>(type: "integer", nullable: false),
                    previous_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    registered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    delivered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    failing_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    fault = table.Column<string>(type: "text", nullable: true),
                    disabled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhooks", x => new { x.tenant_id, x.name });
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    webhook = table.Column<string>(type: "text", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: false),
                    change = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    failed = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook_deliveries", x => new { x.tenant_id, x.webhook, x.fleet_id, x.change });
                    table.ForeignKey(
                        name: "fk_webhook_deliveries_webhooks_tenant_id_webhook",
                        columns: x => new { x.tenant_id, x.webhook },
                        principalSchema: "platform",
                        principalTable: "webhooks",
                        principalColumns: new[] { "tenant_id", "name" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_due_at",
                schema: "platform",
                table: "webhook_deliveries",
                column: "due_at");

            // With the change itself, whoever makes it. The lock waits for one who removes the webhook, and then passes it over.
            migrationBuilder.Sql(
                """
                create function platform.queue_webhooks() returns trigger language plpgsql set search_path = pg_catalog as $$
                begin
                    insert into platform.webhook_deliveries (tenant_id, webhook, fleet_id, change, due_at, failed)
                    select w.tenant_id, w.name, w.fleet_id, w.change, w.at, 0
                    from (
                        select w.tenant_id, w.name, c.fleet_id, c.change, c.at from changed c
                        join platform.webhooks w on w.tenant_id = c.tenant_id and w.disabled_at is null and (w.fleets is null or c.fleet_id = any (w.fleets))
                        for key share of w) w;
                    return null;
                end $$
                """);
            migrationBuilder.Sql(
                """
                create trigger queue_webhooks after insert on platform.in_force_changes referencing new table as changed
                for each statement execute function platform.queue_webhooks()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop trigger queue_webhooks on platform.in_force_changes");
            migrationBuilder.Sql("drop function platform.queue_webhooks()");

            migrationBuilder.DropTable(
                name: "webhook_deliveries",
                schema: "platform");

            migrationBuilder.DropTable(
                name: "webhooks",
                schema: "platform");
        }
    }
}

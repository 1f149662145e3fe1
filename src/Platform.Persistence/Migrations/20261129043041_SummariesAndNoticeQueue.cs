using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class SummariesAndNoticeQueue : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_fleets_unannounced",
                schema: "platform",
                table: "fleets");

            // Nothing has asked by it since what was in force at an instant is a table of its own.
            migrationBuilder.DropIndex(
                name: "ix_allocation_snapshots_tenant_id_fleet_id_solved_at",
                schema: "platform",
                table: "allocation_snapshots");

            // The column announced_change stays: workers from before this migration go on with it until they are replaced.
            migrationBuilder.AddColumn<byte[]>(
                name: "summary",
                schema: "platform",
                table: "allocation_snapshots",
                type: "bytea",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "notice_queue",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: false),
                    change = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notice_queue", x => new { x.tenant_id, x.fleet_id, x.change });
                });

            // With the change itself, whoever makes it; as the owner, since nobody else has been given rights on the table by then.
            migrationBuilder.Sql(
                """
                create function platform.queue_notices() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
                begin
                    insert into platform.notice_queue (tenant_id, fleet_id, change)
                    select c.tenant_id, c.fleet_id, c.change from changed c on conflict do nothing;
                    return null;
                end $$
                """);
            migrationBuilder.Sql(
                """
                create trigger queue_notices after insert on platform.in_force_changes referencing new table as changed
                for each statement execute function platform.queue_notices()
                """);
            migrationBuilder.Sql("alter table platform.fleets no force row level security");
            migrationBuilder.Sql("alter table platform.in_force_changes no force row level security");
            migrationBuilder.Sql(
                """
                insert into platform.notice_queue (tenant_id, fleet_id, change)
                select c.tenant_id, c.fleet_id, c.change from platform.fleets f
                join platform.in_force_changes c on c.tenant_id = f.tenant_id and c.fleet_id = f.fleet_id and c.change > f.announced_change
                """);
            migrationBuilder.Sql("alter table platform.in_force_changes force row level security");
            migrationBuilder.Sql("alter table platform.fleets force row level security");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop trigger queue_notices on platform.in_force_changes");
            migrationBuilder.Sql("drop function platform.queue_notices()");

            migrationBuilder.DropTable(
                name: "notice_queue",
                schema: "platform");

            migrationBuilder.DropColumn(
                name: "summary",
                schema: "platform",
                table: "allocation_snapshots");

            migrationBuilder.CreateIndex(
                name: "ix_allocation_snapshots_tenant_id_fleet_id_solved_at",
                schema: "platform",
                table: "allocation_snapshots",
                columns: new[] { "tenant_id", "fleet_id", "solved_at" });

            migrationBuilder.CreateIndex(
                name: "ix_fleets_unannounced",
                schema: "platform",
                table: "fleets",
                columns: new[] { "tenant_id", "fleet_id" },
                filter: "announced_change < in_force_change");
        }
    }
}

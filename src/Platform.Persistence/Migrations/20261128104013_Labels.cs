using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Labels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "in_force_at",
                schema: "platform",
                table: "fleets",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "in_force_change",
                schema: "platform",
                table: "fleets",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<int>(
                name: "in_force_version",
                schema: "platform",
                table: "fleets",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "pin",
                schema: "platform",
                table: "fleets",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "proposal",
                schema: "platform",
                table: "fleets",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "released_version",
                schema: "platform",
                table: "fleets",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "in_force_changes",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: false),
                    change = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    cause = table.Column<string>(type: "text", nullable: false),
                    by = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_in_force_changes", x => new { x.tenant_id, x.fleet_id, x.change });
                });

            migrationBuilder.CreateIndex(
                name: "ix_in_force_changes_tenant_id_fleet_id_at_change",
                schema: "platform",
                table: "in_force_changes",
                columns: new[] { "tenant_id", "fleet_id", "at", "change" });

            // Until now every version was in force from its solve on. The owner, whom row-level security binds too, must see all tenants' rows;
            // the security is put in place again after the migrations.
            migrationBuilder.Sql("""
                alter table platform.allocation_snapshots no force row level security;
                alter table platform.fleets no force row level security;
                insert into platform.in_force_changes (tenant_id, fleet_id, change, at, version, cause)
                select tenant_id, fleet_id, version, solved_at, version, 'allocation-published' from platform.allocation_snapshots;
                update platform.fleets f
                set released_version = c.version, in_force_version = c.version, in_force_change = c.version, in_force_at = c.at
                from platform.in_force_changes c
                where c.tenant_id = f.tenant_id and c.fleet_id = f.fleet_id and c.version = f.latest_version
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "in_force_changes",
                schema: "platform");

            migrationBuilder.DropColumn(
                name: "in_force_at",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "in_force_change",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "in_force_version",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "pin",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "proposal",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "released_version",
                schema: "platform",
                table: "fleets");
        }
    }
}

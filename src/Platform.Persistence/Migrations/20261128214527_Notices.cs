using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Notices : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "announced_change",
                schema: "platform",
                table: "fleets",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            // What has happened before nobody waits to be told. The owner is no tenant, and row-level security would hide the rows from it.
            migrationBuilder.Sql("alter table platform.fleets no force row level security");
            migrationBuilder.Sql("update platform.fleets set announced_change = in_force_change where in_force_change > 0");
            migrationBuilder.Sql("alter table platform.fleets force row level security");

            migrationBuilder.CreateIndex(
                name: "ix_fleets_unannounced",
                schema: "platform",
                table: "fleets",
                columns: new[] { "tenant_id", "fleet_id" },
                filter: "announced_change < in_force_change");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_fleets_unannounced",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "announced_change",
                schema: "platform",
                table: "fleets");
        }
    }
}

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class SumsInTwoParts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Derived: the next solve of each fleet folds them again from the events.
            migrationBuilder.Sql("truncate platform.workload_sums");

            migrationBuilder.AddColumn<byte[]>(
                name: "recent",
                schema: "platform",
                table: "workload_sums",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "whole_version",
                schema: "platform",
                table: "workload_sums",
                type: "bigint",
                nullable: false);

            // The recent part is rewritten in place, within the page; the whole lies outside it, and cannot be compressed.
            migrationBuilder.Sql("alter table platform.workload_sums alter column sums set storage external, set (fillfactor = 50)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "recent",
                schema: "platform",
                table: "workload_sums");

            migrationBuilder.DropColumn(
                name: "whole_version",
                schema: "platform",
                table: "workload_sums");
        }
    }
}

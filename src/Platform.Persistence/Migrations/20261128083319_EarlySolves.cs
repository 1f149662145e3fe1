using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class EarlySolves : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "due_reason",
                schema: "platform",
                table: "fleets",
                type: "text",
                nullable: false,
                defaultValue: "periodic");

            migrationBuilder.AddColumn<string>(
                name: "expectation",
                schema: "platform",
                table: "fleets",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "solve_reason",
                schema: "platform",
                table: "fleets",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "due_reason",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "expectation",
                schema: "platform",
                table: "fleets");

            migrationBuilder.DropColumn(
                name: "solve_reason",
                schema: "platform",
                table: "fleets");
        }
    }
}

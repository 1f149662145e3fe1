using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Rejections : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "rejections",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    rejected_id = table.Column<string>(type: "text", nullable: false),
                    rejected_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: true),
                    message_id = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: false),
                    bytes = table.Column<int>(type: "integer", nullable: false),
                    body = table.Column<byte[]>(type: "bytea", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rejections", x => new { x.tenant_id, x.rejected_id });
                });

            migrationBuilder.CreateIndex(
                name: "ix_rejection_decisions_tenant_id_rejected_id",
                schema: "platform",
                table: "rejection_decisions",
                columns: new[] { "tenant_id", "rejected_id" });

            migrationBuilder.CreateIndex(
                name: "ix_rejections_tenant_id_rejected_at_rejected_id",
                schema: "platform",
                table: "rejections",
                columns: new[] { "tenant_id", "rejected_at", "rejected_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "rejections",
                schema: "platform");

            migrationBuilder.DropIndex(
                name: "ix_rejection_decisions_tenant_id_rejected_id",
                schema: "platform",
                table: "rejection_decisions");
        }
    }
}

using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class TransparencyLog : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "log_checkpoints",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    signed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    note = table.Column<string>(type: "text", nullable: false),
                    verifier = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_log_checkpoints", x => new { x.tenant_id, x.size });
                });

            migrationBuilder.CreateTable(
                name: "log_entries",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    index = table.Column<long>(type: "bigint", nullable: false),
                    stream_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stream_version = table.Column<long>(type: "bigint", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: true),
                    allocation_version = table.Column<int>(type: "integer", nullable: true),
                    leaf_hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_log_entries", x => new { x.tenant_id, x.index });
                });

            migrationBuilder.CreateTable(
                name: "log_nodes",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    level = table.Column<short>(type: "smallint", nullable: false),
                    index = table.Column<long>(type: "bigint", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_log_nodes", x => new { x.tenant_id, x.level, x.index });
                });

            migrationBuilder.CreateTable(
                name: "log_queue",
                schema: "platform",
                columns: table => new
                {
                    queue_id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    stream_id = table.Column<Guid>(type: "uuid", nullable: false),
                    fleet_id = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_log_queue", x => x.queue_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_log_entries_tenant_id_fleet_id_allocation_version",
                schema: "platform",
                table: "log_entries",
                columns: new[] { "tenant_id", "fleet_id", "allocation_version" },
                filter: "allocation_version is not null");

            migrationBuilder.CreateIndex(
                name: "ix_log_entries_tenant_id_stream_id_stream_version",
                schema: "platform",
                table: "log_entries",
                columns: new[] { "tenant_id", "stream_id", "stream_version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_log_queue_tenant_id",
                schema: "platform",
                table: "log_queue",
                column: "tenant_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "log_checkpoints",
                schema: "platform");

            migrationBuilder.DropTable(
                name: "log_entries",
                schema: "platform");

            migrationBuilder.DropTable(
                name: "log_nodes",
                schema: "platform");

            migrationBuilder.DropTable(
                name: "log_queue",
                schema: "platform");
        }
    }
}

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class TenantDatabases : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "tenant_databases",
                schema: "platform",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    database = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tenant_databases", x => x.tenant_id);
                });

            // Those that are there are in this database. The owner is no tenant, and row-level security would hide the rows from it.
            migrationBuilder.Sql("alter table platform.tenants no force row level security");
            migrationBuilder.Sql("insert into platform.tenant_databases (tenant_id, database) select tenant_id, '' from platform.tenants");
            migrationBuilder.Sql("alter table platform.tenants force row level security");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "tenant_databases",
                schema: "platform");
        }
    }
}

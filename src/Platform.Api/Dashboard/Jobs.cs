using Hangfire;
using Hangfire.PostgreSql;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Api.Authentication;

namespace Platform.Api.Dashboard;

/// <summary>
/// Hangfire's own pages, for operators, to look at: the sweeps come by themselves, and there is nothing to start or
/// delete.
/// </summary>
internal static class Jobs
{
    /// <summary>Connections of these pages at once.</summary>
    private const int MostConnections = 3;

    public static void AddJobs(this IServiceCollection services) =>
        services.AddHangfire(
            (provider, hangfire) =>
                hangfire.UsePostgreSqlStorage(
                    bootstrapper =>
                        bootstrapper.UseNpgsqlConnection(
                            Connection(provider.GetRequiredService<IOptions<ApiOptions>>().Value.Postgres)
                        ),
                    // The migrations make the schema.
                    new PostgreSqlStorageOptions { PrepareSchemaIfNecessary = false }
                )
        );

    public static void MapJobs(this IEndpointRouteBuilder routes) =>
        routes.MapHangfireDashboardWithAuthorizationPolicy(
            Session.OperatorPolicy,
            "/jobs",
            new DashboardOptions
            {
                AppPath = "/operate",
                DashboardTitle = "Jobs",
                IsReadOnlyFunc = _ => true,
            }
        );

    private static string Connection(string postgres) =>
        new NpgsqlConnectionStringBuilder(postgres)
        {
            MaxPoolSize = MostConnections,
            ApplicationName = "hangfire-pages",
        }.ConnectionString;
}

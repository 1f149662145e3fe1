using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// The database role that the hosts run as. It owns nothing and is no superuser, so that row-level security holds for
/// it; the role that owns the schema migrates and does nothing else.
/// </summary>
public static class ApplicationRole
{
    private const int LongestName = 63;
    private const string Suffix = "_application";

    /// <summary>
    /// The connection string of the application's role in the same database: named after the database, its password
    /// derived from the owner's, so that nobody has to keep a second secret. <see cref="Migrator"/> makes the role.
    /// </summary>
    /// <param name="owner">Npgsql's connection string of the owner.</param>
    /// <exception cref="ArgumentException">It has no password to derive one from.</exception>
    public static string ConnectionFor(string owner)
    {
        var settings = new NpgsqlConnectionStringBuilder(owner);
        if (string.IsNullOrEmpty(settings.Password))
            throw new ArgumentException(
                "The owner's connection has no password, from which the application role's is derived: give the application's connection too.",
                nameof(owner)
            );
        var database = settings.Database ?? settings.Username ?? "postgres";
        settings.Username = database[..Math.Min(database.Length, LongestName - Suffix.Length)] + Suffix;
        settings.Password = Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(settings.Password), Encoding.UTF8.GetBytes(settings.Username))
        );
        return settings.ConnectionString;
    }

    /// <summary>
    /// Makes the role where there is none; where the password is derived, sees to it that it is the derived one.
    /// </summary>
    /// <exception cref="InvalidOperationException">Row-level security would not hold for the role.</exception>
    internal static async Task EnsureAsync(
        NpgsqlConnection owner,
        string application,
        bool derived,
        CancellationToken cancel
    )
    {
        var settings = new NpgsqlConnectionStringBuilder(application);
        var (role, password) = (
            settings.Username!,
            $"password '{settings.Password!.Replace("'", "''", StringComparison.Ordinal)}'"
        );
        await using (
            var find = new NpgsqlCommand(
                "select rolsuper or rolbypassrls or rolname = current_user from pg_roles where rolname = $1",
                owner
            )
        )
        {
            find.Parameters.Add(new() { Value = role });
            if (await find.ExecuteScalarAsync(cancel) is not bool unbound)
                await ExecuteAsync(owner, $"create role {Quoted(role)} login {password}", cancel);
            else if (unbound)
                throw new InvalidOperationException(
                    $"Role {role} owns the schema or is above row-level security: the application needs another one."
                );
            else if (derived && !await CanConnectAsync(settings, cancel))
                await ExecuteAsync(owner, $"alter role {Quoted(role)} {password}", cancel);
        }

        await ExecuteAsync(owner, $"grant connect on database {Quoted(owner.Database)} to {Quoted(role)}", cancel);
    }

    internal static string Quoted(string identifier) =>
        $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    internal static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task<bool> CanConnectAsync(NpgsqlConnectionStringBuilder settings, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString
        );
        try
        {
            await connection.OpenAsync(cancel);
            return true;
        }
        catch (PostgresException fault)
            when (fault.SqlState
                    is PostgresErrorCodes.InvalidPassword
                        or PostgresErrorCodes.InvalidAuthorizationSpecification
            )
        {
            return false;
        }
    }
}
